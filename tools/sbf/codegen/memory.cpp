// Copying, moving and filling memory.
#include "operations.h"
#include "wide.h"

using namespace llvm;

namespace sbf {

// The largest constant number of bytes that the backend writes out as loads and stores.
constexpr uint64_t InlineBytes = 64;

static bool isForBackend(MemIntrinsic &I) {
  auto *Length = dyn_cast<ConstantInt>(I.getLength());
  if (!Length || Length->getZExtValue() > InlineBytes) return false;
  auto *Fill = dyn_cast<MemSetInst>(&I);
  return !Fill || isa<ConstantInt>(Fill->getValue());
}

// A length known here and above the limit is worth a syscall; for any other one the runtime decides.
bool rewriteMemory(IRBuilder<> &B, MemIntrinsic &I) {
  if (isForBackend(I)) return false;
  Module &M = *I.getModule();
  Type *Pointer = B.getPtrTy(), *I64 = B.getInt64Ty(), *I32 = B.getInt32Ty(), *Void = B.getVoidTy();
  bool Known = isa<ConstantInt>(I.getLength());
  Value *Length = B.CreateZExtOrTrunc(I.getLength(), I64);
  if (auto *Fill = dyn_cast<MemSetInst>(&I)) {
    Type *Byte = Known ? I64 : I32;
    FunctionCallee Set = Known ? Wide::runtime(M, "sol_memset_", Void, {Pointer, I64, I64})
                               : Wide::runtime(M, "memset", Pointer, {Pointer, I32, I64});
    B.CreateCall(Set, {Fill->getDest(), B.CreateZExt(Fill->getValue(), Byte), Length});
    return true;
  }
  auto &Transfer = cast<MemTransferInst>(I);
  // sol_memmove_ for both: llvm.memcpy allows source and destination to be equal, sol_memcpy_ does not.
  FunctionCallee Copy = Known ? Wide::runtime(M, "sol_memmove_", Void, {Pointer, Pointer, I64})
                              : Wide::runtime(M, isa<MemMoveInst>(I) ? "memmove" : "memcpy", Pointer, {Pointer, Pointer, I64});
  B.CreateCall(Copy, {Transfer.getDest(), Transfer.getSource(), Length});
  return true;
}

} // namespace sbf
