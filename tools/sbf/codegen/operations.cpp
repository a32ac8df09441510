#include "operations.h"
#include "support.h"
#include "wide.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace sbf {

void unsupported(const Twine &What, const Instruction &I) {
  fail(What + " in " + demangle(I.getFunction()->getName()) + " is not supported on SBF");
}

static void replace(Instruction &I, Value *By) {
  I.replaceAllUsesWith(By);
  I.eraseFromParent();
}

static void rewriteIntrinsic(IRBuilder<> &B, IntrinsicInst &I) {
  Value *By = nullptr;
  switch (I.getIntrinsicID()) {
  case Intrinsic::umul_with_overflow:
  case Intrinsic::smul_with_overflow: By = rewriteOverflowTest(B, I); break;
  case Intrinsic::fshl:
  case Intrinsic::fshr: By = rewriteFunnelShift(B, I); break;
  case Intrinsic::memcpy:
  case Intrinsic::memmove:
  case Intrinsic::memset:
    if (rewriteMemory(B, cast<MemIntrinsic>(I))) I.eraseFromParent();
    return;
  case Intrinsic::trap:
  case Intrinsic::ubsantrap:
    B.CreateCall(Wide::runtime(*I.getModule(), "abort", B.getVoidTy(), {}), {});
    I.eraseFromParent();
    return;
  default: By = rewriteFloatIntrinsic(B, I);
  }
  if (By) replace(I, By);
}

void rewriteOperations(Function &F) {
  for (Instruction &I : make_early_inc_range(instructions(F))) {
    IRBuilder<> B(&I);
    if (auto *Intrinsic = dyn_cast<IntrinsicInst>(&I)) {
      rewriteIntrinsic(B, *Intrinsic);
      continue;
    }
    Value *By = nullptr;
    if (auto *Binary = dyn_cast<BinaryOperator>(&I); Binary && I.getType()->isIntegerTy())
      By = rewriteInteger(B, *Binary);
    else
      By = rewriteFloat(B, I);
    if (By) replace(I, By);
  }
}

} // namespace sbf
