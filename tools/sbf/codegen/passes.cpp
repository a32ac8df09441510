#include "passes.h"
#include "support.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Scalar/DCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LowerAtomicPass.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace sbf {

std::unique_ptr<TargetMachine> createTarget() {
  LLVMInitializeBPFTargetInfo();
  LLVMInitializeBPFTarget();
  LLVMInitializeBPFTargetMC();
  LLVMInitializeBPFAsmPrinter();
  LLVMInitializeBPFAsmParser();
  Triple Name("bpfel");
  std::string Error;
  const Target *Backend = TargetRegistry::lookupTarget(Name, Error);
  if (!Backend) fail(Error);
  return std::unique_ptr<TargetMachine>(Backend->createTargetMachine(
      Name, "v2", "+allows-misaligned-mem-access", TargetOptions(), Reloc::Static, std::nullopt,
      CodeGenOptLevel::Default));
}

using Build = function_ref<void(PassBuilder &, ModulePassManager &)>;

static void run(Module &M, TargetMachine &Target, Build AddPasses) {
  LoopAnalysisManager Loops;
  FunctionAnalysisManager Functions;
  CGSCCAnalysisManager Cycles;
  ModuleAnalysisManager Modules;
  PipelineTuningOptions Tuning;
  // There are no vectors, and code size costs rent.
  Tuning.LoopVectorization = Tuning.SLPVectorization = false;
  Tuning.LoopUnrolling = false;
  Tuning.MergeFunctions = false;
  PassBuilder Builder(&Target, Tuning);
  Builder.registerModuleAnalyses(Modules);
  Builder.registerCGSCCAnalyses(Cycles);
  Builder.registerFunctionAnalyses(Functions);
  Builder.registerLoopAnalyses(Loops);
  Builder.crossRegisterProxies(Loops, Functions, Cycles, Modules);
  ModulePassManager Passes;
  AddPasses(Builder, Passes);
  Passes.run(M, Modules);
}

static bool isEntryPoint(const GlobalValue &Value) { return Value.getName() == "entrypoint"; }

void optimise(Module &M, TargetMachine &Target) {
  run(M, Target, [](PassBuilder &Builder, ModulePassManager &Passes) {
    Passes.addPass(InternalizePass(isEntryPoint));
    Passes.addPass(GlobalDCEPass());
    Passes.addPass(createModuleToFunctionPassAdaptor(LowerAtomicPass()));
    Passes.addPass(Builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2));
    Passes.addPass(GlobalDCEPass());
  });
}

void lowerAtomics(Module &M, TargetMachine &Target) {
  run(M, Target, [](PassBuilder &, ModulePassManager &Passes) {
    Passes.addPass(createModuleToFunctionPassAdaptor(LowerAtomicPass()));
  });
}

void dropUnreachable(Module &M, TargetMachine &Target) {
  run(M, Target, [](PassBuilder &, ModulePassManager &Passes) {
    Passes.addPass(InternalizePass(isEntryPoint));
    Passes.addPass(GlobalDCEPass());
  });
}

void tidy(Module &M, TargetMachine &Target) {
  run(M, Target, [](PassBuilder &, ModulePassManager &Passes) {
    // Not InstCombine: it would put back the multiplications with overflow that have just been rewritten.
    FunctionPassManager Functions;
    Functions.addPass(SROAPass(SROAOptions::ModifyCFG));
    Functions.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
    Functions.addPass(SimplifyCFGPass());
    Functions.addPass(DCEPass());
    Passes.addPass(createModuleToFunctionPassAdaptor(std::move(Functions)));
    Passes.addPass(GlobalDCEPass());
  });
}

void verify(Module &M, StringRef Step) {
  if (verifyModule(M, &errs())) fail("the program is not well formed after " + Step + ", a mistake in sbf-codegen");
}

void emitObject(Module &M, TargetMachine &Target, StringRef Path) {
  std::error_code Problem;
  raw_fd_ostream Out(Path, Problem);
  if (Problem) fail(Path + ": " + Problem.message());
  legacy::PassManager Passes;
  if (Target.addPassesToEmitFile(Passes, Out, nullptr, CodeGenFileType::ObjectFile)) fail("LLVM cannot write objects");
  Passes.run(M);
}

} // namespace sbf
