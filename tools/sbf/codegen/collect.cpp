// sbf-collect: stands in for rustc's linker. It gathers the bitcode a program is made of into one archive and
// leaves code generation to sbf-codegen, which runs outside cargo: a change of the code generator then
// recompiles no crate, and libraries that are only dependencies of a program are never translated.
//
// Called by rustc as `sbf-collect [options] inputs... -o OUT`, with the options of its "bpf" linker flavour,
// none of which matters here.
#include "support.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/Path.h"
#include <string>
#include <vector>

using namespace llvm;
using sbf::fail;

namespace {

struct Request {
  std::vector<std::string> Inputs;
  std::string Output;
};

Request parseArguments(int Count, char **Arguments) {
  static const StringSet<> WithValue = {"--export", "-L", "--cpu", "--cpu-features", "--export-symbols", "--target"};
  Request R;
  for (int I = 1; I < Count; I++) {
    StringRef Argument = Arguments[I];
    if (Argument == "-o" && I + 1 < Count)
      R.Output = Arguments[++I];
    else if (WithValue.contains(Argument))
      I++;
    else if (!Argument.starts_with("-"))
      R.Inputs.push_back(Argument.str());
  }
  if (R.Output.empty()) fail("no -o OUT given");
  return R;
}

class Collection {
public:
  void add(const std::string &Path) {
    Buffers.push_back(sbf::readFile(Path));
    MemoryBufferRef Buffer = Buffers.back()->getMemBufferRef();
    if (sbf::isBitcode(Buffer.getBuffer())) {
      Members.emplace_back(Buffer);
      Members.back().MemberName = sys::path::filename(Path); // machines have different folders
    } else if (Buffer.getBuffer().starts_with("!<arch>\n")) {
      addArchive(Path, Buffer);
    } else if (sys::path::filename(Path) != "symbols.o") { // rustc's list of symbols to keep, as a native object
      fail(Path + ": neither bitcode nor an archive");
    }
  }

  void write(const std::string &Path) {
    Error E = writeArchive(Path, Members, SymtabWritingMode::NoSymtab, object::Archive::K_GNU,
                           /*Deterministic=*/true, /*Thin=*/false);
    if (E) fail(Path + ": " + toString(std::move(E)));
  }

private:
  void addArchive(const std::string &Path, MemoryBufferRef Buffer) {
    auto Archive = object::Archive::create(Buffer);
    if (!Archive) fail(Path + ": " + toString(Archive.takeError()));
    Error E = Error::success();
    for (const object::Archive::Child &Child : (*Archive)->children(E)) {
      auto Member = Child.getMemoryBufferRef();
      if (!Member) fail(Path + ": " + toString(Member.takeError()));
      if (sbf::isBitcode(Member->getBuffer())) Members.emplace_back(*Member); // the rest is rustc's metadata
    }
    if (E) fail(Path + ": " + toString(std::move(E)));
    Archives.push_back(std::move(*Archive));
  }

  std::vector<NewArchiveMember> Members;
  // What the members point into.
  std::vector<std::unique_ptr<MemoryBuffer>> Buffers;
  std::vector<std::unique_ptr<object::Archive>> Archives;
};

} // namespace

int main(int Count, char **Arguments) {
  Request R = parseArguments(Count, Arguments);
  Collection C;
  for (const std::string &Input : R.Inputs) C.add(Input);
  C.write(R.Output);
  return 0;
}
