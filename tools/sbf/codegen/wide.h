// 128-bit integer arithmetic in terms of 64-bit instructions and runtime functions.
#pragma once
#include "llvm/IR/IRBuilder.h"

namespace sbf {

// Writes instructions at the builder's place.
class Wide {
public:
  explicit Wide(llvm::IRBuilder<> &B);

  llvm::Value *multiply(llvm::Value *X, llvm::Value *Y);
  // Integers above 128 bits, which LLVM makes when it divides a 128-bit integer by a constant.
  llvm::Value *multiplyLimbs(llvm::Value *X, llvm::Value *Y);
  // Opcode is one of the four of division and remainder.
  llvm::Value *divide(unsigned Opcode, llvm::Value *X, llvm::Value *Y);
  // Opcode is one of the three shifts; the amount is below 128.
  llvm::Value *shift(unsigned Opcode, llvm::Value *X, llvm::Value *Amount);
  // Whether a product fits no 128 bits.
  llvm::Value *multiplyOverflows(bool Signed, llvm::Value *X, llvm::Value *Y);
  // Calls a runtime function that returns 128 bits, which rustc does through a hidden pointer.
  llvm::Value *call(llvm::StringRef Name, llvm::ArrayRef<llvm::Value *> Arguments);

  // Declares a runtime function.
  static llvm::FunctionCallee runtime(llvm::Module &M, llvm::StringRef Name, llvm::Type *Result,
                                      llvm::ArrayRef<llvm::Type *> Arguments);

private:
  // The value in `Bits` bits, if it is known to fit; else null.
  llvm::Value *narrow(llvm::Value *V, unsigned Bits);
  llvm::Value *low(llvm::Value *V);
  llvm::Value *high(llvm::Value *V);
  llvm::Value *join(llvm::Value *Low, llvm::Value *High);
  // The 64-bit digits of a value, least significant first; null where a digit is known to be zero.
  llvm::SmallVector<llvm::Value *> limbs(llvm::Value *V, unsigned Count);

  llvm::IRBuilder<> &B;
  llvm::Module &M;
  llvm::Type *I64, *I128;
};

} // namespace sbf
