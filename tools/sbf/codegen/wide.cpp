#include "wide.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/KnownBits.h"

using namespace llvm;

namespace sbf {

Wide::Wide(IRBuilder<> &B)
    : B(B), M(*B.GetInsertBlock()->getModule()), I64(B.getInt64Ty()), I128(B.getInt128Ty()) {}

FunctionCallee Wide::runtime(Module &M, StringRef Name, Type *Result, ArrayRef<Type *> Arguments) {
  return M.getOrInsertFunction(Name, FunctionType::get(Result, Arguments, false));
}

Value *Wide::call(StringRef Name, ArrayRef<Value *> Arguments) {
  BasicBlock &Entry = B.GetInsertBlock()->getParent()->getEntryBlock();
  AllocaInst *Slot = IRBuilder<>(&Entry, Entry.begin()).CreateAlloca(I128);
  SmallVector<Value *> All{Slot};
  SmallVector<Type *> Types{Slot->getType()};
  for (Value *Argument : Arguments) {
    All.push_back(Argument);
    Types.push_back(Argument->getType());
  }
  // Lifetimes let slots of different calls share their place in the frame.
  B.CreateLifetimeStart(Slot);
  B.CreateCall(runtime(M, Name, B.getVoidTy(), Types), All);
  Value *Result = B.CreateLoad(I128, Slot);
  B.CreateLifetimeEnd(Slot);
  return Result;
}

Value *Wide::narrow(Value *V, unsigned Bits) {
  if (auto *Extension = dyn_cast<ZExtInst>(V))
    if (Extension->getSrcTy()->isIntegerTy() && Extension->getSrcTy()->getIntegerBitWidth() <= Bits)
      return B.CreateZExt(Extension->getOperand(0), B.getIntNTy(Bits));
  if (auto *Constant = dyn_cast<ConstantInt>(V))
    if (Constant->getValue().getActiveBits() <= Bits)
      return ConstantInt::get(B.getIntNTy(Bits), Constant->getValue().trunc(Bits));
  return nullptr;
}

Value *Wide::low(Value *V) { return B.CreateTrunc(V, I64); }

Value *Wide::high(Value *V) { return B.CreateTrunc(B.CreateLShr(V, 64), I64); }

Value *Wide::join(Value *Low, Value *High) {
  return B.CreateOr(B.CreateZExt(Low, I128), B.CreateShl(B.CreateZExt(High, I128), 64));
}

Value *Wide::multiply(Value *X, Value *Y) {
  Value *X32 = narrow(X, 32), *Y32 = narrow(Y, 32);
  if (X32 && Y32) return B.CreateZExt(B.CreateMul(B.CreateZExt(X32, I64), B.CreateZExt(Y32, I64)), I128);
  Value *X64 = narrow(X, 64), *Y64 = narrow(Y, 64);
  if (X64 && Y64) return call("__sbf_mulwide", {X64, Y64});
  return call("__multi3", {X, Y});
}

SmallVector<Value *> Wide::limbs(Value *V, unsigned Count) {
  unsigned Width = V->getType()->getIntegerBitWidth();
  KnownBits Known = computeKnownBits(V, M.getDataLayout());
  SmallVector<Value *> Limbs;
  for (unsigned I = 0; I < Count; I++) {
    APInt Zero = Known.Zero.lshr(64 * I).zextOrTrunc(64);
    if (Width < 64 * (I + 1)) Zero.setBitsFrom(Width - 64 * I);
    Limbs.push_back(Zero.isAllOnes() ? nullptr : B.CreateTrunc(B.CreateLShr(V, 64 * I), I64));
  }
  return Limbs;
}

Value *Wide::multiplyLimbs(Value *X, Value *Y) {
  Type *T = X->getType();
  unsigned Count = (T->getIntegerBitWidth() + 63) / 64;
  SmallVector<Value *> XLimbs = limbs(X, Count), YLimbs = limbs(Y, Count);
  Value *Sum = ConstantInt::get(T, 0);
  for (unsigned I = 0; I < Count; I++)
    for (unsigned J = 0; I + J < Count; J++)
      if (XLimbs[I] && YLimbs[J]) {
        Value *Product = B.CreateZExt(call("__sbf_mulwide", {XLimbs[I], YLimbs[J]}), T);
        Sum = B.CreateAdd(Sum, B.CreateShl(Product, 64 * (I + J)));
      }
  return Sum;
}

static const char *divisionFunction(unsigned Opcode) {
  switch (Opcode) {
  case Instruction::UDiv: return "__udivti3";
  case Instruction::URem: return "__umodti3";
  case Instruction::SDiv: return "__divti3";
  default: return "__modti3";
  }
}

Value *Wide::divide(unsigned Opcode, Value *X, Value *Y) {
  if (Opcode == Instruction::UDiv || Opcode == Instruction::URem) {
    Value *X64 = narrow(X, 64), *Y64 = narrow(Y, 64);
    if (X64 && Y64) return B.CreateZExt(B.CreateBinOp(Instruction::BinaryOps(Opcode), X64, Y64), I128);
  }
  return call(divisionFunction(Opcode), {X, Y});
}

Value *Wide::shift(unsigned Opcode, Value *X, Value *Amount) {
  Value *Low = low(X), *High = high(X), *Bits = low(Amount);
  Value *Zero = B.getInt64(0), *One = B.getInt64(1), *SixtyThree = B.getInt64(63);
  Value *Small = B.CreateAnd(Bits, SixtyThree);
  // 63 - Small. Shifting by one first keeps the amount below 64 when Small is zero.
  Value *Rest = B.CreateXor(Small, SixtyThree);
  Value *AtLeast64 = B.CreateICmpNE(B.CreateAnd(Bits, B.getInt64(64)), Zero);
  if (Opcode == Instruction::Shl) {
    Value *NewLow = B.CreateShl(Low, Small);
    Value *NewHigh = B.CreateOr(B.CreateShl(High, Small), B.CreateLShr(B.CreateLShr(Low, One), Rest));
    return join(B.CreateSelect(AtLeast64, Zero, NewLow), B.CreateSelect(AtLeast64, NewLow, NewHigh));
  }
  bool Arithmetic = Opcode == Instruction::AShr;
  Value *NewHigh = Arithmetic ? B.CreateAShr(High, Small) : B.CreateLShr(High, Small);
  Value *NewLow = B.CreateOr(B.CreateLShr(Low, Small), B.CreateShl(B.CreateShl(High, One), Rest));
  Value *Fill = Arithmetic ? B.CreateAShr(High, SixtyThree) : Zero;
  return join(B.CreateSelect(AtLeast64, NewHigh, NewLow), B.CreateSelect(AtLeast64, Fill, NewHigh));
}

Value *Wide::multiplyOverflows(bool Signed, Value *X, Value *Y) {
  FunctionCallee Test =
      runtime(M, Signed ? "__sbf_smulo128" : "__sbf_umulo128", I64, {I64, I64, I64, I64});
  return B.CreateICmpNE(B.CreateCall(Test, {low(X), high(X), low(Y), high(Y)}), B.getInt64(0));
}

} // namespace sbf
