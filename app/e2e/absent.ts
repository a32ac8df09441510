// An operator that reports and is gone: no daemon of its own seals, finalises, shares or answers, so that what is due stays due until somebody calls it. It answers on a
// private lane, where the watcher has no permission to look.

import { type Address, createKeyPairSignerFromPrivateKeyBytes, createSolanaRpc, generateKeyPairSigner, type Instruction, type KeyPairSigner, signBytes } from "@solana/kit";
import { findPaymentAccount, getVerifySignatureInstruction, send, voucherMessage } from "@imo/client";
import { fetchProtocol, findModelVersionPda, findProtocolPda } from "@imo/client/model-token";
import {
  findDisputePda,
  findInquiryPda,
  findOperatorPda,
  findReportPda,
  findStakeTokensPda,
  findStakeVaultPda,
  getDemandDataInstruction,
  getOpenDisputeInstruction,
  getOpenReceiptsInquiryInstructionAsync,
  getPostReportInstruction,
  getRegisterOperatorInstructionAsync,
  getSealReportInstruction,
  getStakeBondInstruction,
  getTimeOutDemandInstruction,
} from "@imo/client/opml-oracle";
import {
  type Credit,
  fetchCredit,
  fetchLane,
  fetchMaybeModelVault,
  fetchSession,
  findBucketPda,
  findCollectionPda,
  findCreditPda,
  findLanePda,
  findSessionPda,
  findVaultPda,
  findVaultTokensPda,
  getCollectInstructionAsync,
  getDepositCreditInstructionAsync,
  getGrantSessionInstructionAsync,
  getOpenBucketInstructionAsync,
  getOpenCreditInstructionAsync,
  getOpenLaneInstructionAsync,
  getOpenVaultInstructionAsync,
} from "@imo/client/revenue-escrow";
import { airdrop, localnet, model, time, travel } from "./world.ts";

const ONE = 1_000_000n;
const BOND = 60n * ONE;
/** What each of its answers costs. */
export const PRICE = 10n * ONE;
const DAY = 86_400n;

const rpc = createSolanaRpc(localnet.cluster.rpc);

/** Roots that nobody looks below. */
function root(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

export class AbsentOperator {
  readonly authority: KeyPairSigner;
  readonly address: Address;
  /** The seed of the authority's key, as the burner wallet keeps it. */
  readonly seed: string;
  private readonly payer: KeyPairSigner;
  private readonly session: KeyPairSigner;
  private readonly mint: Address;
  private readonly model: Address;
  private answers = 0n;

  private constructor(of: { authority: KeyPairSigner; seed: string; payer: KeyPairSigner; session: KeyPairSigner; address: Address; model: Address }) {
    this.authority = of.authority;
    this.seed = of.seed;
    this.payer = of.payer;
    this.session = of.session;
    this.address = of.address;
    this.mint = localnet.mints.usdc.address as Address;
    this.model = of.model;
  }

  /** Registered, with a stake, and with a payer that has reserved money for it on one model: the digit classifier of the local cluster, or another one. */
  static async start(of: Address = model("digits").address as Address): Promise<AbsentOperator> {
    const { seed, signer: authority } = await newKey();
    const [payer, session] = await Promise.all([generateKeyPairSigner(), generateKeyPairSigner()]);
    const [address] = await findOperatorPda({ authority: authority.address, mint: localnet.mints.usdc.address as Address });
    const started = new AbsentOperator({ authority, seed, payer, session, address, model: of });
    await airdrop(authority.address, 1_000);
    await airdrop(payer.address, 1_000);
    await started.register();
    await started.prepay();
    return started;
  }

  private async register(): Promise<void> {
    const { authority, address: operator, mint } = this;
    const [stakeVault] = await findStakeVaultPda({ mint });
    await act(authority, [
      await getRegisterOperatorInstructionAsync({ payer: authority, authority, stakeVault, operator, backup: authority.address, endpoint: "", endpointKeyHash: root(1) }),
      getStakeBondInstruction({
        depositor: authority,
        depositorTokens: await findPaymentAccount(authority.address, mint),
        operator,
        stakeVault,
        stakeTokens: (await findStakeTokensPda({ mint }))[0],
        mint,
        amountUnits: 500n * ONE,
      }),
    ]);
  }

  private async prepay(): Promise<void> {
    const { payer, mint } = this;
    const [vault] = await findVaultPda({ model: this.model });
    const [credit] = await findCreditPda({ payer: payer.address, model: this.model });
    const { unix } = await time();
    const [vaultTokens] = await findVaultTokensPda({ model: this.model });
    // Nobody has paid for a model that was just registered.
    if (!(await fetchMaybeModelVault(rpc, vault)).exists) await act(payer, [await getOpenVaultInstructionAsync({ rentPayer: payer, model: this.model, mint })]);
    await act(payer, [
      await getOpenCreditInstructionAsync({ payer, rentPayer: payer, vault, credit }),
      await getDepositCreditInstructionAsync({ depositor: payer, vault, credit, mint, depositorTokens: await findPaymentAccount(payer.address, mint), vaultTokens, amountUnits: 100n * ONE }),
      await getOpenLaneInstructionAsync({ payer, rentPayer: payer, vault, credit, operator: this.address, model: this.model, amountUnits: 100n * ONE, private: true }),
      await getGrantSessionInstructionAsync({ payer, rentPayer: payer, credit, key: this.session.address, limitUnits: 100n * ONE, expiresUnix: BigInt(unix) + 30n * DAY }),
    ]);
  }

  /** Posts a report and collects one answer into it. */
  async report(): Promise<Address> {
    const { authority, address: operator } = this;
    const [report] = await findReportPda({ operator, sequence: this.answers });
    const [modelVersion] = await findModelVersionPda({ model: this.model, number: 1 });
    const unix = BigInt((await time()).unix);
    const post = getPostReportInstruction({ payer: authority, authority, operator, model: this.model, modelVersion, report, bondUnits: BOND, periodStartUnix: unix - DAY, periodEndUnix: unix });
    await act(authority, [post, await getOpenBucketInstructionAsync({ rentPayer: authority, report })]);
    this.answers += 1n;
    await act(authority, await this.collect(report, unix + DAY));
    return report;
  }

  private async collect(report: Address, expiresUnix: bigint): Promise<Instruction[]> {
    const { authority, session } = this;
    const { credit, lane } = await this.places();
    const [sessionAccount] = await findSessionPda({ credit, key: session.address });
    const [[protocol], laneNow, sessionNow] = await Promise.all([findProtocolPda(), fetchLane(rpc, lane), fetchSession(rpc, sessionAccount)]);
    const { cluster } = (await fetchProtocol(rpc, protocol)).data;
    const [cumulativeCount, cumulativeAmountUnits, requestsRoot] = [this.answers, this.answers * PRICE, root(2)];
    const message = voucherMessage({
      cluster,
      lane,
      laneGeneration: laneNow.data.generation,
      session: session.address,
      sessionGeneration: sessionNow.data.generation,
      cumulativeAmountUnits,
      cumulativeCount,
      requestsRoot,
      expiresUnix,
    });
    return [
      getVerifySignatureInstruction(session.address, await signBytes(session.keyPair.privateKey, message), message),
      await getCollectInstructionAsync({
        authority,
        rentPayer: authority,
        operator: this.address,
        report,
        credit,
        lane,
        session: sessionAccount,
        bucket: (await findBucketPda({ report }))[0],
        cumulativeAmountUnits,
        cumulativeCount,
        requestsRoot,
        receiptsRoot: root(3),
        expiresUnix,
      }),
    ];
  }

  /** Ends collecting and begins the window. */
  async seal(report: Address): Promise<void> {
    await act(this.authority, [getSealReportInstruction({ caller: this.authority, report, operator: this.address })]);
  }

  /** Seals a report, and has its payer demand what the operator does not show. */
  async demand(report: Address): Promise<Address> {
    const { payer, mint } = this;
    const { lane } = await this.places();
    await this.seal(report);
    const [collection] = await findCollectionPda({ report, lane });
    const [inquiry] = await findInquiryPda({ report, demander: payer.address, nonce: 0 });
    await act(payer, [
      await getOpenReceiptsInquiryInstructionAsync({ demander: payer, report, collection, permission: payer, nonce: 0 }),
      getDemandDataInstruction({
        demander: payer,
        demanderTokens: await findPaymentAccount(payer.address, mint),
        inquiry,
        report,
        stakeVault: (await findStakeVaultPda({ mint }))[0],
        stakeTokens: (await findStakeTokensPda({ mint }))[0],
        mint,
        level: 0,
        index: 0,
        hash: root(3),
        path: [],
      }),
    ]);
    return inquiry;
  }

  /** Seals a report, and has it rejected because it does not show what its payer demands. */
  async withhold(report: Address): Promise<void> {
    const inquiry = await this.demand(report);
    await travel({ slots: 310 });
    await act(this.payer, [getTimeOutDemandInstruction({ inquiry, report, operator: this.address })]);
  }

  /** Has somebody open a dispute on a sealed report who says nothing more. */
  async disputed(report: Address): Promise<Address> {
    const { mint } = this;
    const { signer: challenger } = await newKey();
    await airdrop(challenger.address, 1_000);
    const [dispute] = await findDisputePda({ report, challenger: challenger.address, nonce: 0 });
    await act(challenger, [
      getOpenDisputeInstruction({
        payer: challenger,
        challenger,
        challengerTokens: await findPaymentAccount(challenger.address, mint),
        report,
        operator: this.address,
        dispute,
        stakeVault: (await findStakeVaultPda({ mint }))[0],
        stakeTokens: (await findStakeTokensPda({ mint }))[0],
        mint,
        nonce: 0,
        commitment: root(4),
      }),
    ]);
    return dispute;
  }

  /** What its payer has prepaid. */
  async credit(): Promise<Credit> {
    const { credit } = await this.places();
    return (await fetchCredit(rpc, credit, { commitment: "confirmed" })).data;
  }

  /** What its payer has in the wallet. */
  async payerHolds(): Promise<bigint> {
    const account = await findPaymentAccount(this.payer.address, this.mint);
    return BigInt((await rpc.getTokenAccountBalance(account, { commitment: "confirmed" }).send()).value.amount);
  }

  private async places(): Promise<{ credit: Address; lane: Address }> {
    const [credit] = await findCreditPda({ payer: this.payer.address, model: this.model });
    const [lane] = await findLanePda({ credit, operator: this.address });
    return { credit, lane };
  }
}

async function newKey(): Promise<{ seed: string; signer: KeyPairSigner }> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  return { seed: Buffer.from(seed).toString("hex"), signer: await createKeyPairSignerFromPrivateKeyBytes(seed) };
}

async function act(feePayer: KeyPairSigner, instructions: Instruction[]): Promise<void> {
  await send({ rpc, feePayer, instructions });
}
