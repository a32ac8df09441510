#include "signatures.h"
#include "support.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace llvm;

namespace sbf {

namespace {

constexpr unsigned ArgumentRegisters = 5;

// How values of one function type are passed.
struct Convention {
  bool Changed = false;         // whether anything differs from the original type
  FunctionType *Type = nullptr; // the new type
  bool HiddenResult = false;    // the result goes through a pointer in the first register
  std::vector<bool> InRegister; // for each original parameter
  StructType *Packed = nullptr; // the parameters that are not in registers; null if there are none
};

std::string name(const Function &F) { return demangle(F.getName()); }

unsigned registersFor(Type *T) {
  if (auto *Integer = dyn_cast<IntegerType>(T)) return (Integer->getBitWidth() + 63) / 64;
  if (T->isPointerTy() || T->isFloatTy() || T->isDoubleTy() || T->isHalfTy()) return 1;
  if (T->isFP128Ty()) return 2;
  if (auto *Struct = dyn_cast<StructType>(T)) {
    unsigned Sum = 0;
    for (Type *Element : Struct->elements()) Sum += registersFor(Element);
    return Sum;
  }
  if (auto *Array = dyn_cast<ArrayType>(T)) return Array->getNumElements() * registersFor(Array->getElementType());
  std::string Text;
  raw_string_ostream(Text) << *T;
  fail("a parameter of type " + Text + " is not supported on SBF");
}

bool fitsResultRegister(Type *T) { return T->isVoidTy() || (!T->isAggregateType() && registersFor(T) <= 1); }

class Signatures {
public:
  explicit Signatures(Module &M) : M(M), Pointer(PointerType::getUnqual(context())) {}

  void rewrite() {
    dropStructReturnAttributes();
    SmallVector<Function *> Functions;
    for (Function &F : M) Functions.push_back(&F);
    for (Function *F : Functions) {
      SmallVector<CallBase *> Calls;
      for (Instruction &I : instructions(*F))
        if (auto *Call = dyn_cast<CallBase>(&I)) Calls.push_back(Call);
      for (CallBase *Call : Calls) rewriteCall(*Call);
    }
    for (Function *F : Functions) rewriteFunction(*F);
  }

private:
  const Convention &conventionOf(FunctionType *Original) {
    auto [Place, IsNew] = Conventions.try_emplace(Original);
    if (IsNew) Place->second = makeConvention(Original);
    return Place->second;
  }

  Convention makeConvention(FunctionType *Original) {
    Convention C;
    C.HiddenResult = !fitsResultRegister(Original->getReturnType());
    unsigned Used = C.HiddenResult, Needed = Used;
    for (Type *Parameter : Original->params()) Needed += registersFor(Parameter);
    bool TooMany = Needed > ArgumentRegisters;
    C.Changed = C.HiddenResult || TooMany;
    if (C.Changed && Original->isVarArg()) fail("functions with a variable number of arguments are not supported on SBF");
    unsigned Free = TooMany ? ArgumentRegisters - 1 : ArgumentRegisters; // one for the pointer to the struct
    SmallVector<Type *> Parameters, Packed;
    if (C.HiddenResult) Parameters.push_back(Pointer);
    for (Type *Parameter : Original->params()) {
      unsigned Registers = registersFor(Parameter);
      bool Fits = Used + Registers <= Free;
      C.InRegister.push_back(Fits);
      if (Fits) Used += Registers;
      (Fits ? Parameters : Packed).push_back(Parameter);
    }
    if (!Packed.empty()) {
      Parameters.push_back(Pointer);
      C.Packed = StructType::get(context(), Packed);
    }
    Type *Result = C.HiddenResult ? Type::getVoidTy(context()) : Original->getReturnType();
    C.Type = FunctionType::get(Result, Parameters, false);
    return C;
  }

  // The attributes that are still true. Memory effects are not: arguments and results now go through memory.
  AttributeList attributesFor(AttributeList Original, const Convention &C) {
    AttrBuilder OfFunction(context(), Original.getFnAttrs());
    for (Attribute::AttrKind Kind :
         {Attribute::Memory, Attribute::Speculatable, Attribute::AllocSize, Attribute::AllocKind})
      OfFunction.removeAttribute(Kind);
    SmallVector<AttributeSet> OfParameters;
    if (C.HiddenResult) {
      AttrBuilder Hidden(context());
      Hidden.addAttribute(Attribute::NoAlias);
      Hidden.addAttribute(Attribute::NonNull);
      OfParameters.push_back(AttributeSet::get(context(), Hidden));
    }
    for (unsigned I = 0; I < C.InRegister.size(); I++)
      if (C.InRegister[I]) {
        AttrBuilder Kept(context(), Original.getParamAttrs(I));
        Kept.removeAttribute(Attribute::Returned);
        OfParameters.push_back(AttributeSet::get(context(), Kept));
      }
    AttributeSet OfResult = C.HiddenResult ? AttributeSet() : Original.getRetAttrs();
    return AttributeList::get(context(), AttributeSet::get(context(), OfFunction), OfResult, OfParameters);
  }

  void rewriteFunction(Function &F) {
    if (F.isIntrinsic()) return;
    const Convention &C = conventionOf(F.getFunctionType());
    if (!C.Changed) return;
    if (F.isDeclaration()) fail("the syscall " + name(F) + " has a signature that SBF cannot express");
    Function *New = Function::Create(C.Type, F.getLinkage(), F.getAddressSpace(), "", &M);
    New->copyAttributesFrom(&F);
    New->setAttributes(attributesFor(F.getAttributes(), C));
    New->setComdat(F.getComdat());
    New->takeName(&F);
    New->splice(New->begin(), &F);
    replaceParameters(F, *New, C);
    if (C.HiddenResult) storeResults(*New);
    F.replaceAllUsesWith(New);
    F.eraseFromParent();
  }

  void replaceParameters(Function &Old, Function &New, const Convention &C) {
    IRBuilder<> B(&*New.getEntryBlock().begin());
    unsigned Next = C.HiddenResult, NextPacked = 0;
    for (Argument &Parameter : Old.args()) {
      if (C.InRegister[Parameter.getArgNo()]) {
        Argument *Replacement = New.getArg(Next++);
        Replacement->takeName(&Parameter);
        Parameter.replaceAllUsesWith(Replacement);
        continue;
      }
      unsigned Field = NextPacked++;
      if (Parameter.use_empty()) continue;
      Value *Place = B.CreateStructGEP(C.Packed, New.getArg(New.arg_size() - 1), Field);
      Parameter.replaceAllUsesWith(B.CreateLoad(Parameter.getType(), Place, Parameter.getName()));
    }
  }

  void storeResults(Function &F) {
    for (BasicBlock &Block : F)
      if (auto *Return = dyn_cast<ReturnInst>(Block.getTerminator())) {
        IRBuilder<> B(Return);
        store(B, Return->getReturnValue(), F.getArg(0));
        B.CreateRetVoid();
        Return->eraseFromParent();
      }
  }

  // Stores an aggregate element by element, so that none is left as a single value, which the backend cannot hold.
  void store(IRBuilder<> &B, Value *V, Value *Place) {
    if (isa<UndefValue>(V)) return;
    auto *Struct = dyn_cast<StructType>(V->getType());
    if (!Struct) {
      B.CreateStore(V, Place);
      return;
    }
    for (unsigned I = 0; I < Struct->getNumElements(); I++) {
      Value *Element = elementOf(B, V, I);
      if (Element) store(B, Element, I ? B.CreateStructGEP(Struct, Place, I) : Place);
    }
  }

  // What was inserted into an aggregate at an index; null if nothing was.
  Value *elementOf(IRBuilder<> &B, Value *Aggregate, unsigned Index) {
    Value *From = Aggregate;
    while (auto *Insert = dyn_cast<InsertValueInst>(From)) {
      if (Insert->getIndices()[0] == Index) {
        if (Insert->getNumIndices() == 1) return Insert->getInsertedValueOperand();
        break;
      }
      From = Insert->getAggregateOperand();
    }
    return isa<UndefValue>(From) ? nullptr : B.CreateExtractValue(Aggregate, Index);
  }

  void rewriteCall(CallBase &Call) {
    if (Call.isInlineAsm()) return;
    if (Function *Callee = Call.getCalledFunction(); Callee && Callee->isIntrinsic()) return;
    const Convention &C = conventionOf(Call.getFunctionType());
    refuseOtherType(Call, C);
    if (!C.Changed) return;
    auto *Old = dyn_cast<CallInst>(&Call);
    if (!Old || Old->isMustTailCall()) fail("an unwinding or guaranteed tail call in " + name(*Call.getFunction()));

    BasicBlock &Entry = Old->getFunction()->getEntryBlock();
    IRBuilder<> AtEntry(&Entry, Entry.begin()), B(Old);
    // Lifetimes let slots of different calls share their place in the frame.
    auto Slot = [&](Type *T) {
      AllocaInst *Place = AtEntry.CreateAlloca(T);
      B.CreateLifetimeStart(Place);
      return Place;
    };
    SmallVector<Value *> Arguments;
    AllocaInst *Result = C.HiddenResult ? Slot(Old->getType()) : nullptr;
    AllocaInst *Packed = C.Packed ? Slot(C.Packed) : nullptr;
    if (Result) Arguments.push_back(Result);
    unsigned NextPacked = 0;
    for (unsigned I = 0; I < Old->arg_size(); I++) {
      Value *Argument = Old->getArgOperand(I);
      if (C.InRegister[I])
        Arguments.push_back(Argument);
      else
        store(B, Argument, B.CreateStructGEP(C.Packed, Packed, NextPacked++));
    }
    if (Packed) Arguments.push_back(Packed);

    CallInst *New = B.CreateCall(C.Type, Old->getCalledOperand(), Arguments);
    New->setAttributes(attributesFor(Old->getAttributes(), C));
    New->setCallingConv(Old->getCallingConv());
    // The callee reads this frame, so the frame cannot be given up for it.
    New->setTailCallKind(CallInst::TCK_None);
    if (Result) {
      loadResult(B, *Old, Result);
      B.CreateLifetimeEnd(Result);
    } else {
      Old->replaceAllUsesWith(New);
    }
    if (Packed) B.CreateLifetimeEnd(Packed);
    Old->eraseFromParent();
  }

  // A call through another type than the callee's would not find its arguments.
  void refuseOtherType(CallBase &Call, const Convention &C) {
    if (Call.getCalledFunction()) return; // LLVM's answer to "is this a direct call of the same type"
    auto *Callee = dyn_cast<Function>(Call.getCalledOperand()->stripPointerCasts());
    if (Callee && (C.Changed || conventionOf(Callee->getFunctionType()).Changed))
      fail("a call of " + name(*Callee) + " with another signature, in " + name(*Call.getFunction()));
  }

  // Gives the users of a call its result: the elements they take if all of them take one, else the whole.
  void loadResult(IRBuilder<> &B, CallInst &Old, AllocaInst *Place) {
    if (Old.use_empty()) return;
    auto *Struct = dyn_cast<StructType>(Old.getType());
    bool OnlyElements = Struct && all_of(Old.users(), [](User *U) {
      auto *Extract = dyn_cast<ExtractValueInst>(U);
      return Extract && Extract->getNumIndices() == 1;
    });
    if (!OnlyElements) {
      Old.replaceAllUsesWith(B.CreateLoad(Old.getType(), Place));
      return;
    }
    std::map<unsigned, Value *> Loaded;
    for (User *U : make_early_inc_range(Old.users())) {
      auto *Extract = cast<ExtractValueInst>(U);
      unsigned Index = Extract->getIndices()[0];
      Value *&Element = Loaded[Index];
      if (!Element) {
        Value *At = Index ? B.CreateStructGEP(Struct, Place, Index) : Place;
        Element = B.CreateLoad(Struct->getElementType(Index), At);
      }
      Extract->replaceAllUsesWith(Element);
      Extract->eraseFromParent();
    }
  }

  // rustc's own hidden results are fine as pointers; it is the attribute that the backend refuses.
  void dropStructReturnAttributes() {
    for (Function &F : M) {
      for (unsigned I = 0; I < F.arg_size(); I++) F.removeParamAttr(I, Attribute::StructRet);
      for (Instruction &Inst : instructions(F))
        if (auto *Call = dyn_cast<CallBase>(&Inst))
          for (unsigned I = 0; I < Call->arg_size(); I++) Call->removeParamAttr(I, Attribute::StructRet);
    }
  }

  Module &M;
  Type *Pointer;
  std::map<FunctionType *, Convention> Conventions;
};

} // namespace

void rewriteSignatures(Module &M) { Signatures(M).rewrite(); }

} // namespace sbf
