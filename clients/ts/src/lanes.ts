/** Instructions that make and fill a lane, with what they need made first. */

import { type Address, type Instruction, type TransactionSigner } from '@solana/kit';

import { findPaymentAccount } from './addresses.js';
import { fetchModel } from './generated/model-token/accounts/model.js';
import { findAppointmentPda } from './generated/model-token/pdas/index.js';
import { OperatorAccess } from './generated/model-token/types/index.js';
import { fetchOperator } from './generated/opml-oracle/accounts/operator.js';
import { fetchMaybeCredit } from './generated/revenue-escrow/accounts/credit.js';
import { fetchMaybeLane } from './generated/revenue-escrow/accounts/lane.js';
import { fetchMaybeSession } from './generated/revenue-escrow/accounts/session.js';
import { getDepositCreditInstructionAsync } from './generated/revenue-escrow/instructions/depositCredit.js';
import { getFundLaneInstruction } from './generated/revenue-escrow/instructions/fundLane.js';
import { getGrantSessionInstructionAsync } from './generated/revenue-escrow/instructions/grantSession.js';
import { getOpenCreditInstructionAsync } from './generated/revenue-escrow/instructions/openCredit.js';
import { getOpenLaneInstructionAsync } from './generated/revenue-escrow/instructions/openLane.js';
import { findCreditPda, findLanePda, findSessionPda, findVaultPda, findVaultTokensPda } from './generated/revenue-escrow/pdas/index.js';
import type { PayerRpc } from './payer.js';

export type LaneWish = {
    rpc: PayerRpc;
    /** Whose money it is. */
    payer: TransactionSigner;
    model: Address;
    /** The operator account. */
    operator: Address;
    /** What the lane is to get in addition, in units of the model's payment mint. What the credit lacks for that is deposited from the payer's own account. */
    amountUnits: bigint;
    /** Whether the questions of a new lane are salted, for good. */
    private?: boolean;
    /** A key to sign vouchers, granted unless it is already. */
    session?: { key: Address; limitUnits: bigint; expiresUnix: bigint };
};

/** What has to be sent so that the lane has so much more: opens credit and lane and grants the session where they are not there. One transaction takes all. */
export async function laneInstructions(wish: LaneWish): Promise<Instruction[]> {
    const { rpc, payer, model, operator, amountUnits, session } = wish;
    const [vault] = await findVaultPda({ model });
    const [credit] = await findCreditPda({ payer: payer.address, model });
    const [lane] = await findLanePda({ credit, operator });
    const [creditAccount, laneAccount, modelAccount] = await Promise.all([
        fetchMaybeCredit(rpc, credit),
        fetchMaybeLane(rpc, lane),
        fetchModel(rpc, model),
    ]);
    const instructions: Instruction[] = [];
    if (!creditAccount.exists) {
        instructions.push(await getOpenCreditInstructionAsync({ payer, rentPayer: payer, vault, credit }));
    }
    const available = creditAccount.exists ? creditAccount.data.availableUnits : 0n;
    if (amountUnits > available) {
        const mint = modelAccount.data.paymentMint;
        const [vaultTokens] = await findVaultTokensPda({ model });
        instructions.push(
            await getDepositCreditInstructionAsync({
                depositor: payer,
                vault,
                credit,
                mint,
                depositorTokens: await findPaymentAccount(payer.address, mint),
                vaultTokens,
                amountUnits: amountUnits - available,
            }),
        );
    }
    if (laneAccount.exists) {
        if (amountUnits > 0n) instructions.push(getFundLaneInstruction({ payer, credit, lane, amountUnits }));
    } else {
        const listed = modelAccount.data.operators === OperatorAccess.Listed;
        const appointment = listed && (await appointmentOf(rpc, model, operator));
        instructions.push(
            await getOpenLaneInstructionAsync({
                payer,
                rentPayer: payer,
                vault,
                credit,
                operator,
                lane,
                model,
                ...(appointment && { appointment }),
                amountUnits,
                private: wish.private ?? false,
            }),
        );
    }
    if (session) {
        const [address] = await findSessionPda({ credit, key: session.key });
        if (!(await fetchMaybeSession(rpc, address)).exists) {
            instructions.push(await getGrantSessionInstructionAsync({ payer, rentPayer: payer, credit, ...session }));
        }
    }
    return instructions;
}

async function appointmentOf(rpc: PayerRpc, model: Address, operator: Address): Promise<Address> {
    const { data } = await fetchOperator(rpc, operator);
    const [appointment] = await findAppointmentPda({ model, operatorAuthority: data.authority });
    return appointment;
}
