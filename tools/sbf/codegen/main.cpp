// sbf-codegen ARCHIVE RUNTIME OUT: translates a program's bitcode into one relocatable BPF object.
//
// LLVM's BPF backend is made for small kernel programs. It has no integers above 64 bits, no floating point, no
// result wider than a register, at most five arguments, and 512 bytes of stack. SBF programs need more, so what the
// backend cannot translate is rewritten before it sees it; what cannot be rewritten is an error, never a guess.
//
// Written against LLVM 22.
#include "input.h"
#include "operations.h"
#include "passes.h"
#include "signatures.h"
#include "support.h"
#include "llvm/Support/CommandLine.h"
#include <set>

using namespace llvm;
using namespace sbf;

// The backend has its own check of stack frames, for the kernel's limit; ours comes with the "warn-stack-size" attribute below.
static void silenceKernelStackLimit(const char *Name) {
  const char *Options[] = {Name, "-bpf-stack-size=1048576"};
  cl::ParseCommandLineOptions(2, Options);
}

// Rewriting an operation may call a builtin, whose own operations need rewriting.
static void rewriteAllOperations(Input &In, TargetMachine &Target) {
  Module &M = *In.Program;
  std::set<Function *> Done;
  for (;;) {
    SmallVector<Function *> Todo;
    for (Function &F : M)
      if (!F.isDeclaration() && Done.insert(&F).second) Todo.push_back(&F);
    if (Todo.empty()) return;
    for (Function *F : Todo) rewriteOperations(*F);
    linkBuiltins(In, Target);
    lowerAtomics(M, Target);
  }
}

static void checkGlobals(Module &M) {
  for (GlobalVariable &Global : M.globals()) {
    Global.setSection("");
    if (Global.isDeclaration())
      report("the variable " + Global.getName() + " is not defined anywhere");
    else if (!Global.isConstant())
      report("the static " + Global.getName() + " is writable, and programs have no writable data");
  }
}

int main(int Count, char **Arguments) {
  if (Count != 4) fail("usage: sbf-codegen ARCHIVE RUNTIME OUT");
  silenceKernelStackLimit(Arguments[0]);
  catchDiagnostics();
  std::unique_ptr<TargetMachine> Target = createTarget();

  Input In = load(Arguments[1], Arguments[2]);
  Module &M = *In.Program;
  Function *Entry = M.getFunction("entrypoint");
  if (!Entry || Entry->isDeclaration()) fail("the program has no entry point");
  retarget(M, *Target);
  verify(M, "linking");

  optimise(M, *Target);
  verify(M, "optimising");

  rewriteAllOperations(In, *Target);
  verify(M, "rewriting operations");

  dropUnreachable(M, *Target);
  rewriteSignatures(M);
  verify(M, "rewriting signatures");

  tidy(M, *Target);
  verify(M, "tidying");

  checkGlobals(M);
  for (Function &F : M)
    if (!F.isDeclaration()) F.addFnAttr("warn-stack-size", std::to_string(FrameBytes));
  emitObject(M, *Target, Arguments[3]);
  failOnErrors();
  return 0;
}
