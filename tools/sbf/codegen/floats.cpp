// Floating point, in terms of the functions of Rust's compiler_builtins (and our own for 128-bit integers).
#include "operations.h"
#include "support.h"
#include "wide.h"
#include <string>

using namespace llvm;

namespace sbf {

namespace {

// The letter that the names of the functions have for a type.
std::string letter(Type *T, const Instruction &I) {
  if (T->isDoubleTy()) return "d";
  if (T->isFloatTy()) return "s";
  unsupported("a floating-point type other than f32 and f64", I);
}

bool isFloat(Type *T) { return T->isFPOrFPVectorTy(); }

class Floats {
public:
  Floats(IRBuilder<> &B, Instruction &I) : B(B), I(I), M(*I.getModule()) {}

  Value *arithmetic(BinaryOperator &Binary) {
    const char *Name = nullptr;
    switch (Binary.getOpcode()) {
    case Instruction::FAdd: Name = "__add"; break;
    case Instruction::FSub: Name = "__sub"; break;
    case Instruction::FMul: Name = "__mul"; break;
    case Instruction::FDiv: Name = "__div"; break;
    default: unsupported("the remainder of floating-point numbers", I);
    }
    Type *T = Binary.getType();
    return call(Name + letter(T, I) + "f3", T, {Binary.getOperand(0), Binary.getOperand(1)});
  }

  Value *compare(FCmpInst &Compare) {
    Value *X = Compare.getOperand(0), *Y = Compare.getOperand(1);
    std::string Suffix = letter(X->getType(), I) + "f2";
    Value *Zero = B.getInt32(0);
    auto Result = [&](const char *Name) { return call(std::string("__") + Name + Suffix, B.getInt32Ty(), {X, Y}); };
    auto Equal = [&] { return B.CreateICmpEQ(Result("eq"), Zero); };
    auto Unordered = [&] { return B.CreateICmpNE(Result("unord"), Zero); };
    // With a NaN, "gt" and "ge" are negative and "lt" and "le" positive, so each answers its own question with no.
    switch (Compare.getPredicate()) {
    case CmpInst::FCMP_FALSE: return B.getFalse();
    case CmpInst::FCMP_TRUE: return B.getTrue();
    case CmpInst::FCMP_OEQ: return Equal();
    case CmpInst::FCMP_UNE: return B.CreateNot(Equal());
    case CmpInst::FCMP_OGT: return B.CreateICmpSGT(Result("gt"), Zero);
    case CmpInst::FCMP_ULE: return B.CreateNot(B.CreateICmpSGT(Result("gt"), Zero));
    case CmpInst::FCMP_OGE: return B.CreateICmpSGE(Result("ge"), Zero);
    case CmpInst::FCMP_ULT: return B.CreateNot(B.CreateICmpSGE(Result("ge"), Zero));
    case CmpInst::FCMP_OLT: return B.CreateICmpSLT(Result("lt"), Zero);
    case CmpInst::FCMP_UGE: return B.CreateNot(B.CreateICmpSLT(Result("lt"), Zero));
    case CmpInst::FCMP_OLE: return B.CreateICmpSLE(Result("le"), Zero);
    case CmpInst::FCMP_UGT: return B.CreateNot(B.CreateICmpSLE(Result("le"), Zero));
    case CmpInst::FCMP_UNO: return Unordered();
    case CmpInst::FCMP_ORD: return B.CreateNot(Unordered());
    case CmpInst::FCMP_ONE: return B.CreateAnd(B.CreateNot(Unordered()), B.CreateNot(Equal()));
    case CmpInst::FCMP_UEQ: return B.CreateOr(Unordered(), Equal());
    default: unsupported("a comparison of floating-point numbers", I);
    }
  }

  Value *convert(CastInst &Cast) {
    Value *V = Cast.getOperand(0);
    Type *To = Cast.getDestTy();
    switch (Cast.getOpcode()) {
    case Instruction::UIToFP: return fromInteger(V, To, /*Signed=*/false);
    case Instruction::SIToFP: return fromInteger(V, To, /*Signed=*/true);
    case Instruction::FPToUI: return toInteger(V, To, /*Signed=*/false);
    case Instruction::FPToSI: return toInteger(V, To, /*Signed=*/true);
    case Instruction::FPExt: return call("__extendsfdf2", To, {V});
    case Instruction::FPTrunc: return call("__truncdfsf2", To, {V});
    default: return nullptr;
    }
  }

  // Values out of range become the nearest integer, NaN becomes zero. The functions do that at 64 and 128 bits;
  // below, the result is cut to size here.
  Value *toIntegerSaturating(Value *V, Type *To, bool Signed) {
    unsigned Bits = To->getIntegerBitWidth();
    Value *Result = toInteger(V, Bits <= 64 ? B.getInt64Ty() : To, Signed);
    if (Bits >= 64) return Result;
    APInt Most = Signed ? APInt::getSignedMaxValue(Bits).sext(64) : APInt::getMaxValue(Bits).zext(64);
    Result = B.CreateBinaryIntrinsic(Signed ? Intrinsic::smin : Intrinsic::umin, Result, B.getInt(Most));
    if (Signed) {
      APInt Least = APInt::getSignedMinValue(Bits).sext(64);
      Result = B.CreateBinaryIntrinsic(Intrinsic::smax, Result, B.getInt(Least));
    }
    return B.CreateTrunc(Result, To);
  }

  Value *negate(Value *V) {
    return onBits(V, [&](Value *Bits, unsigned Count) { return B.CreateXor(Bits, B.getInt(APInt::getSignMask(Count))); });
  }

  Value *absolute(Value *V) {
    return onBits(V, [&](Value *Bits, unsigned Count) {
      return B.CreateAnd(Bits, B.getInt(APInt::getSignedMaxValue(Count)));
    });
  }

  Value *library(std::string Name, IntrinsicInst &Call) {
    Type *T = Call.getType();
    return call(Name + (T->isFloatTy() ? "f" : ""), T, SmallVector<Value *>(Call.args()));
  }

private:
  Value *call(const std::string &Name, Type *Result, ArrayRef<Value *> Arguments) {
    SmallVector<Type *> Types;
    for (Value *Argument : Arguments) Types.push_back(Argument->getType());
    return B.CreateCall(Wide::runtime(M, Name, Result, Types), Arguments);
  }

  Value *fromInteger(Value *V, Type *To, bool Signed) {
    bool Wide = V->getType()->getIntegerBitWidth() > 64;
    Type *From = Wide ? B.getInt128Ty() : B.getInt64Ty();
    V = Signed ? B.CreateSExt(V, From) : B.CreateZExt(V, From);
    if (!Wide) return call((Signed ? "__floatdi" : "__floatundi") + letter(To, I) + "f", To, {V});
    if (!To->isDoubleTy()) unsupported("a 128-bit integer as f32", I);
    return call(Signed ? "__sbf_floattidf" : "__sbf_floatuntidf", To, {V});
  }

  Value *toInteger(Value *V, Type *To, bool Signed) {
    Type *From = V->getType();
    if (To->getIntegerBitWidth() <= 64) {
      std::string Name = (Signed ? "__fix" : "__fixuns") + letter(From, I) + "fdi";
      return B.CreateTrunc(call(Name, B.getInt64Ty(), {V}), To);
    }
    if (!From->isDoubleTy() || To->getIntegerBitWidth() > 128) unsupported("f32 as a 128-bit integer", I);
    return B.CreateTrunc(sbf::Wide(B).call(Signed ? "__sbf_fixdfti" : "__sbf_fixunsdfti", {V}), To);
  }

  Value *onBits(Value *V, function_ref<Value *(Value *, unsigned)> Change) {
    unsigned Count = V->getType()->getScalarSizeInBits();
    return B.CreateBitCast(Change(B.CreateBitCast(V, B.getIntNTy(Count)), Count), V->getType());
  }

  IRBuilder<> &B;
  Instruction &I;
  Module &M;
};

} // namespace

Value *rewriteFloat(IRBuilder<> &B, Instruction &I) {
  Floats F(B, I);
  if (auto *Binary = dyn_cast<BinaryOperator>(&I)) return isFloat(I.getType()) ? F.arithmetic(*Binary) : nullptr;
  if (auto *Compare = dyn_cast<FCmpInst>(&I)) return F.compare(*Compare);
  if (auto *Cast = dyn_cast<CastInst>(&I)) return F.convert(*Cast);
  if (I.getOpcode() == Instruction::FNeg) return F.negate(I.getOperand(0));
  return nullptr;
}

Value *rewriteFloatIntrinsic(IRBuilder<> &B, IntrinsicInst &I) {
  Floats F(B, I);
  switch (I.getIntrinsicID()) {
  case Intrinsic::fptoui_sat: return F.toIntegerSaturating(I.getArgOperand(0), I.getType(), /*Signed=*/false);
  case Intrinsic::fptosi_sat: return F.toIntegerSaturating(I.getArgOperand(0), I.getType(), /*Signed=*/true);
  case Intrinsic::fabs: return F.absolute(I.getArgOperand(0));
  case Intrinsic::floor: return F.library("floor", I);
  case Intrinsic::ceil: return F.library("ceil", I);
  case Intrinsic::trunc: return F.library("trunc", I);
  case Intrinsic::round: return F.library("round", I);
  case Intrinsic::rint: return F.library("rint", I);
  case Intrinsic::sqrt: return F.library("sqrt", I);
  case Intrinsic::fma: return F.library("fma", I);
  default: return nullptr;
  }
}

} // namespace sbf
