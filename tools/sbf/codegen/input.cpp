#include "input.h"
#include "support.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Object/Archive.h"

using namespace llvm;

namespace sbf {

// Links the archive's members, except compiler_builtins, which it adds to Builtins.
static void linkArchive(MemoryBufferRef Buffer, Linker &Into, std::vector<MemoryBufferRef> &Builtins) {
  auto Archive = object::Archive::create(Buffer);
  if (!Archive) fail(Buffer.getBufferIdentifier() + ": " + toString(Archive.takeError()));
  Error E = Error::success();
  for (const object::Archive::Child &Child : (*Archive)->children(E)) {
    auto Name = Child.getName();
    if (!Name) fail(Buffer.getBufferIdentifier() + ": " + toString(Name.takeError()));
    auto Member = Child.getMemoryBufferRef();
    if (!Member) fail(*Name + ": " + toString(Member.takeError()));
    if (Name->starts_with("compiler_builtins-"))
      Builtins.push_back(*Member);
    else if (Into.linkInModule(parseBitcode(*Member)))
      fail("cannot link " + *Name);
  }
  if (E) fail(Buffer.getBufferIdentifier() + ": " + toString(std::move(E)));
}

static StringSet<> definedFunctions(const Module &M) {
  StringSet<> Names;
  for (const Function &F : M)
    if (!F.isDeclaration() && !F.hasLocalLinkage()) Names.insert(F.getName());
  return Names;
}

Input load(StringRef ProgramArchive, StringRef Runtime) {
  Input In;
  In.Program = std::make_unique<Module>("program", context());
  In.Program->setTargetTriple(Triple("bpfel"));
  In.Buffers.push_back(readFile(Runtime));
  In.Builtins.push_back(In.Buffers.back()->getMemBufferRef());
  In.Buffers.push_back(readFile(ProgramArchive));
  Linker Into(*In.Program);
  linkArchive(In.Buffers.back()->getMemBufferRef(), Into, In.Builtins);
  StripDebugInfo(*In.Program);

  StringSet<> Ours = definedFunctions(*parseBitcode(In.Builtins.front()));
  for (Function &F : *In.Program)
    if (!F.isDeclaration() && Ours.contains(F.getName())) {
      F.deleteBody();
      F.setComdat(nullptr);
    }
  // Lists of what a linker must keep; only the entry point matters here.
  for (const char *Name : {"llvm.used", "llvm.compiler.used"})
    if (GlobalVariable *List = In.Program->getNamedGlobal(Name)) List->eraseFromParent();
  return In;
}

void retarget(Module &M, const TargetMachine &Target) {
  M.setTargetTriple(Triple("bpfel"));
  M.setDataLayout(Target.createDataLayout());
  for (Function &F : M) {
    F.removeFnAttr("target-cpu");
    F.removeFnAttr("target-features");
    F.setSection("");
    F.setPersonalityFn(nullptr);
    F.setVisibility(GlobalValue::DefaultVisibility);
    // Inlining adds up stack frames: stop well before a frame is full.
    if (!F.isDeclaration()) F.addFnAttr("inline-max-stacksize", std::to_string(FrameBytes / 2));
  }
}

static bool isWanted(const Module &Builtin, const Module &Program) {
  for (const Function &F : Builtin) {
    if (F.isDeclaration()) continue;
    const Function *Declared = Program.getFunction(F.getName());
    if (Declared && Declared->isDeclaration()) return true;
  }
  return false;
}

void linkBuiltins(Input &In, const TargetMachine &Target) {
  for (MemoryBufferRef Buffer : In.Builtins) {
    std::unique_ptr<Module> Builtin = parseBitcode(Buffer);
    if (!isWanted(*Builtin, *In.Program)) continue;
    StripDebugInfo(*Builtin);
    retarget(*Builtin, Target);
    if (Linker::linkModules(*In.Program, std::move(Builtin), Linker::LinkOnlyNeeded)) fail("cannot link the runtime");
  }
}

} // namespace sbf
