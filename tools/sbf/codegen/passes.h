// LLVM's own passes, in the four places where they run.
#pragma once
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace sbf {

// The upstream BPF backend. Instruction set v2 is the newest whose every instruction SBF v0 has.
std::unique_ptr<llvm::TargetMachine> createTarget();

// After linking: the usual optimisation of the whole program, reduced to what its entry point reaches.
void optimise(llvm::Module &M, llvm::TargetMachine &Target);

// After linking builtins: their atomics become plain loads and stores, for there is one thread.
void lowerAtomics(llvm::Module &M, llvm::TargetMachine &Target);

// Before signatures change: everything but the entry point becomes internal, and what nothing calls goes.
void dropUnreachable(llvm::Module &M, llvm::TargetMachine &Target);

// After signatures changed: removes the stack slots and branches that the rewriting left.
void tidy(llvm::Module &M, llvm::TargetMachine &Target);

// Ends with an error if the module is not well formed: a mistake in this program, not in its input.
void verify(llvm::Module &M, llvm::StringRef Step);

// A relocatable BPF object.
void emitObject(llvm::Module &M, llvm::TargetMachine &Target, llvm::StringRef Path);

} // namespace sbf
