// Integer operations: signed division, everything above 64 bits, overflow tests.
#include "operations.h"
#include "support.h"
#include "wide.h"

using namespace llvm;

namespace sbf {

namespace {

// x is (Magnitude ^ Sign) - Sign, where Sign is 0 or -1.
struct SignAndMagnitude {
  Value *Sign, *Magnitude;
};

SignAndMagnitude split(IRBuilder<> &B, Value *X) {
  Value *Sign = B.CreateAShr(X, B.getInt64(63));
  return {Sign, B.CreateSub(B.CreateXor(X, Sign), Sign)};
}

Value *withSign(IRBuilder<> &B, Value *Magnitude, Value *Sign) { return B.CreateSub(B.CreateXor(Magnitude, Sign), Sign); }

// Solana's instruction set v0 has unsigned division only.
Value *divideSigned64(IRBuilder<> &B, Value *X, Value *Y, bool Remainder) {
  auto [XSign, XMagnitude] = split(B, X);
  auto [YSign, YMagnitude] = split(B, Y);
  if (Remainder) return withSign(B, B.CreateURem(XMagnitude, YMagnitude), XSign);
  return withSign(B, B.CreateUDiv(XMagnitude, YMagnitude), B.CreateXor(XSign, YSign));
}

struct Product {
  Value *Low, *Overflows;
};

// Divides the product again: one instruction, where a 128-bit product would be a call.
Product multiply64(IRBuilder<> &B, Value *X, Value *Y) {
  Value *Low = B.CreateMul(X, Y);
  Value *IsZero = B.CreateICmpEQ(X, B.getInt64(0));
  Value *Divisor = B.CreateOr(X, B.CreateZExt(IsZero, B.getInt64Ty()));
  Value *Differs = B.CreateICmpNE(B.CreateUDiv(Low, Divisor), Y);
  return {Low, B.CreateAnd(B.CreateNot(IsZero), Differs)};
}

Product multiplySigned64(IRBuilder<> &B, Value *X, Value *Y) {
  auto [XSign, XMagnitude] = split(B, X);
  auto [YSign, YMagnitude] = split(B, Y);
  Product Magnitude = multiply64(B, XMagnitude, YMagnitude);
  Value *Sign = B.CreateXor(XSign, YSign);
  // 2^63 - 1, or 2^63 when the result is negative.
  Value *Limit = B.CreateSub(B.getInt64(INT64_MAX), Sign);
  Value *TooLarge = B.CreateICmpUGT(Magnitude.Low, Limit);
  return {withSign(B, Magnitude.Low, Sign), B.CreateOr(Magnitude.Overflows, TooLarge)};
}

Product multiplyNarrow(IRBuilder<> &B, bool Signed, Value *X, Value *Y) {
  auto Extend = [&](Value *V) { return Signed ? B.CreateSExt(V, B.getInt64Ty()) : B.CreateZExt(V, B.getInt64Ty()); };
  Value *Full = B.CreateMul(Extend(X), Extend(Y));
  Value *Low = B.CreateTrunc(Full, X->getType());
  return {Low, B.CreateICmpNE(Extend(Low), Full)};
}

bool isShift(unsigned Opcode) {
  return Opcode == Instruction::Shl || Opcode == Instruction::LShr || Opcode == Instruction::AShr;
}

bool isDivision(unsigned Opcode) {
  return Opcode == Instruction::UDiv || Opcode == Instruction::SDiv || Opcode == Instruction::URem ||
         Opcode == Instruction::SRem;
}

} // namespace

Value *rewriteInteger(IRBuilder<> &B, BinaryOperator &I) {
  unsigned Opcode = I.getOpcode(), Bits = I.getType()->getIntegerBitWidth();
  Value *X = I.getOperand(0), *Y = I.getOperand(1);
  bool Signed = Opcode == Instruction::SDiv || Opcode == Instruction::SRem || Opcode == Instruction::AShr;
  if (Bits <= 64) {
    if (!Signed || isShift(Opcode)) return nullptr;
    Type *I64 = B.getInt64Ty();
    Value *Result = divideSigned64(B, B.CreateSExt(X, I64), B.CreateSExt(Y, I64), Opcode == Instruction::SRem);
    return B.CreateTrunc(Result, I.getType());
  }
  bool Shift = isShift(Opcode);
  if (!Shift && !isDivision(Opcode) && Opcode != Instruction::Mul) return nullptr;
  // The backend shifts by constants itself.
  if (Shift && isa<ConstantInt>(Y)) return nullptr;
  Wide W(B);
  if (Bits > 128) {
    if (Opcode == Instruction::Mul) return W.multiplyLimbs(X, Y);
    unsupported("arithmetic on integers above 128 bits", I);
  }
  Type *I128 = B.getInt128Ty();
  X = Signed ? B.CreateSExt(X, I128) : B.CreateZExt(X, I128);
  Y = Signed && !Shift ? B.CreateSExt(Y, I128) : B.CreateZExt(Y, I128);
  Value *Result = Shift                 ? W.shift(Opcode, X, Y)
                  : isDivision(Opcode) ? W.divide(Opcode, X, Y)
                                       : W.multiply(X, Y);
  return B.CreateTrunc(Result, I.getType());
}

Value *rewriteOverflowTest(IRBuilder<> &B, IntrinsicInst &I) {
  Value *X = I.getArgOperand(0), *Y = I.getArgOperand(1);
  if (!X->getType()->isIntegerTy()) unsupported("multiplication of vectors", I);
  bool Signed = I.getIntrinsicID() == Intrinsic::smul_with_overflow;
  Product P;
  switch (unsigned Bits = X->getType()->getIntegerBitWidth()) {
  case 64:
    // X is the divisor: a constant one needs no test for zero.
    if (!Signed && isa<Constant>(Y)) std::swap(X, Y);
    P = Signed ? multiplySigned64(B, X, Y) : multiply64(B, X, Y);
    break;
  case 128: {
    Wide W(B);
    P = {W.multiply(X, Y), W.multiplyOverflows(Signed, X, Y)};
    break;
  }
  default:
    if (Bits > 32) unsupported("an overflow test on integers of " + Twine(Bits) + " bits", I);
    P = multiplyNarrow(B, Signed, X, Y);
  }
  Value *Pair = B.CreateInsertValue(PoisonValue::get(I.getType()), P.Low, 0);
  Pair = B.CreateInsertValue(Pair, P.Overflows, 1);
  // Nearly every user takes one of the two: give it that directly. The extractvalues stay, unused, because the
  // walk over this function may already point to them.
  for (User *U : make_early_inc_range(I.users()))
    if (auto *Extract = dyn_cast<ExtractValueInst>(U))
      Extract->replaceAllUsesWith(Extract->getIndices()[0] == 0 ? P.Low : P.Overflows);
  return Pair;
}

Value *rewriteFunnelShift(IRBuilder<> &B, IntrinsicInst &I) {
  Value *High = I.getArgOperand(0), *Low = I.getArgOperand(1), *Amount = I.getArgOperand(2);
  Type *T = I.getType();
  if (!T->isIntegerTy(128) || isa<ConstantInt>(Amount)) return nullptr;
  Wide W(B);
  Value *One = ConstantInt::get(T, 1), *Mask = ConstantInt::get(T, 127);
  Value *Bits = B.CreateAnd(Amount, Mask);
  // 127 - Bits; the other one is shifted in advance, so that no amount reaches 128.
  Value *Rest = B.CreateXor(Bits, Mask);
  if (I.getIntrinsicID() == Intrinsic::fshl)
    return B.CreateOr(W.shift(Instruction::Shl, High, Bits), W.shift(Instruction::LShr, B.CreateLShr(Low, One), Rest));
  return B.CreateOr(W.shift(Instruction::LShr, Low, Bits), W.shift(Instruction::Shl, B.CreateShl(High, One), Rest));
}

} // namespace sbf
