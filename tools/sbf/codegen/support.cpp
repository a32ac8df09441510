#include "support.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Function.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sbf {

static unsigned Errors = 0;

LLVMContext &context() {
  static LLVMContext Context;
  return Context;
}

void fail(const Twine &Message) {
  errs() << "sbf-codegen: error: " << Message << "\n";
  exit(1);
}

void report(const Twine &Message) {
  errs() << "sbf-codegen: error: " << Message << "\n";
  Errors++;
}

void failOnErrors() {
  if (Errors) exit(1);
}

namespace {
struct DiagnosticCatcher : DiagnosticHandler {
  bool handleDiagnostics(const DiagnosticInfo &Info) override {
    if (Info.getSeverity() == DS_Remark || Info.getSeverity() == DS_Note) return true;
    if (auto *Frame = dyn_cast<DiagnosticInfoStackSize>(&Info)) {
      report("the stack frame of " + demangle(Frame->getFunction().getName()) + " has " + Twine(Frame->getStackSize()) +
             " bytes and may have " + Twine(FrameBytes) + ": box its large values or move code to a function of its own");
      return true;
    }
    std::string Text;
    raw_string_ostream Stream(Text);
    DiagnosticPrinterRawOStream Printer(Stream);
    Info.print(Printer);
    if (Info.getSeverity() == DS_Error)
      report(Text);
    else
      errs() << "sbf-codegen: warning: " << Text << "\n";
    return true;
  }
};
} // namespace

void catchDiagnostics() { context().setDiagnosticHandler(std::make_unique<DiagnosticCatcher>()); }

bool isBitcode(StringRef Bytes) { return Bytes.starts_with("BC\xC0\xDE") || Bytes.starts_with("\xDE\xC0\x17\x0B"); }

std::unique_ptr<MemoryBuffer> readFile(StringRef Path) {
  auto Buffer = MemoryBuffer::getFile(Path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!Buffer) fail(Path + ": " + Buffer.getError().message());
  return std::move(*Buffer);
}

std::unique_ptr<Module> parseBitcode(MemoryBufferRef Buffer) {
  auto Parsed = parseBitcodeFile(Buffer, context());
  if (!Parsed) fail(Buffer.getBufferIdentifier() + ": " + toString(Parsed.takeError()));
  return std::move(*Parsed);
}

} // namespace sbf
