// Step 2: rewrites instructions the backend cannot translate into ones it can, or into calls of builtins.
#pragma once
#include "llvm/IR/Function.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/IntrinsicInst.h"

namespace sbf {

void rewriteOperations(llvm::Function &F);

// The kinds of operations. Each returns the value that takes the instruction's place, or null to leave it alone.
llvm::Value *rewriteInteger(llvm::IRBuilder<> &B, llvm::BinaryOperator &I);
llvm::Value *rewriteFloat(llvm::IRBuilder<> &B, llvm::Instruction &I);
llvm::Value *rewriteFloatIntrinsic(llvm::IRBuilder<> &B, llvm::IntrinsicInst &I);
llvm::Value *rewriteOverflowTest(llvm::IRBuilder<> &B, llvm::IntrinsicInst &I);
llvm::Value *rewriteFunnelShift(llvm::IRBuilder<> &B, llvm::IntrinsicInst &I);
// True if the instruction was rewritten; it has no value and is to be erased.
bool rewriteMemory(llvm::IRBuilder<> &B, llvm::MemIntrinsic &I);

// Ends with an error that names the function.
[[noreturn]] void unsupported(const llvm::Twine &What, const llvm::Instruction &I);

} // namespace sbf
