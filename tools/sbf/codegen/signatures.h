// Step 3: gives every function a signature that five registers can carry.
#pragma once
#include "llvm/IR/Module.h"

namespace sbf {

// Results that no register holds go through a hidden first pointer. Where arguments need more than five registers,
// those that do not fit in four go into a struct on the caller's stack, and a pointer to it is the last argument.
//
// What happens to a function follows from its type alone, so that direct calls, function pointers and trait objects
// agree with each other without knowing who calls whom.
void rewriteSignatures(llvm::Module &M);

} // namespace sbf
