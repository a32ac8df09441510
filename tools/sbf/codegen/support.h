// What every part of the code generator needs: the LLVM context, errors, reading bitcode.
#pragma once
#include "llvm/ADT/Twine.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace sbf {

// Bytes of stack that Solana gives each call.
constexpr unsigned FrameBytes = 4096;

llvm::LLVMContext &context();

// Prints the message and ends the process with code 1.
[[noreturn]] void fail(const llvm::Twine &Message);

// Prints the message; failOnErrors ends the process later, so that all errors are seen at once.
void report(const llvm::Twine &Message);
void failOnErrors();

// Makes LLVM's own errors, and frames that are too large, count as reported errors.
void catchDiagnostics();

bool isBitcode(llvm::StringRef Bytes);
std::unique_ptr<llvm::MemoryBuffer> readFile(llvm::StringRef Path);
std::unique_ptr<llvm::Module> parseBitcode(llvm::MemoryBufferRef Buffer);

} // namespace sbf
