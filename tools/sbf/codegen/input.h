// Step 1: from an archive of bitcode to one module.
#pragma once
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <vector>

namespace sbf {

struct Input {
  // The program with all its crates.
  std::unique_ptr<llvm::Module> Program;
  // Our runtime functions, then the members of Rust's compiler_builtins. Linked when something calls them, which
  // is only known once operations have been rewritten.
  std::vector<llvm::MemoryBufferRef> Builtins;
  // What Builtins point into.
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> Buffers;
};

// Reads and links. Functions that the runtime defines lose any other body.
Input load(llvm::StringRef ProgramArchive, llvm::StringRef Runtime);

// Gives all functions the attributes of this target, whatever they were compiled for.
void retarget(llvm::Module &M, const llvm::TargetMachine &Target);

// Links those builtins that the program declares and does not define.
void linkBuiltins(Input &In, const llvm::TargetMachine &Target);

} // namespace sbf
