// Every kind of account that the app reads: whose it is, how it begins, how it is decoded. Offsets are of a relation that one searches by.

import type { Address, Decoder, ReadonlyUint8Array } from "@solana/kit";
import {
  APPOINTMENT_DISCRIMINATOR,
  COMMITMENT_DISCRIMINATOR,
  METADATA_UPDATE_DISCRIMINATOR,
  MODEL_DISCRIMINATOR,
  MODEL_TOKEN_PROGRAM_ADDRESS,
  MODEL_VERSION_DISCRIMINATOR,
  OFFERING_DISCRIMINATOR,
  PROTOCOL_DISCRIMINATOR,
  getAppointmentDecoder,
  getCommitmentDecoder,
  getMetadataUpdateDecoder,
  getModelDecoder,
  getModelVersionDecoder,
  getOfferingDecoder,
  getProtocolDecoder,
} from "@imo/client/model-token";
import {
  DISPUTE_DISCRIMINATOR,
  INQUIRY_DISCRIMINATOR,
  OPERATOR_DISCRIMINATOR,
  OPML_ORACLE_PROGRAM_ADDRESS,
  REPORT_DISCRIMINATOR,
  TRACE_DISCRIMINATOR,
  getDisputeDecoder,
  getInquiryDecoder,
  getOperatorDecoder,
  getReportDecoder,
  getTraceDecoder,
} from "@imo/client/opml-oracle";
import {
  BUCKET_DISCRIMINATOR,
  COLLECTION_DISCRIMINATOR,
  CONTRIBUTIONS_DISCRIMINATOR,
  CREDIT_DISCRIMINATOR,
  EARNINGS_DISCRIMINATOR,
  LANE_DISCRIMINATOR,
  MODEL_VAULT_DISCRIMINATOR,
  REVENUE_ESCROW_PROGRAM_ADDRESS,
  SESSION_DISCRIMINATOR,
  getBucketDecoder,
  getCollectionDecoder,
  getContributionsDecoder,
  getCreditDecoder,
  getEarningsDecoder,
  getLaneDecoder,
  getModelVaultDecoder,
  getSessionDecoder,
} from "@imo/client/revenue-escrow";
import {
  EPOCH_MARK_DISCRIMINATOR,
  POOL_DISCRIMINATOR,
  POSITION_DISCRIMINATOR,
  VESTING_DISCRIMINATOR,
  YIELD_DISTRIBUTOR_PROGRAM_ADDRESS,
  getEpochMarkDecoder,
  getPoolDecoder,
  getPositionDecoder,
  getVestingDecoder,
} from "@imo/client/yield-distributor";

export interface Kind<T> {
  program: Address;
  discriminator: ReadonlyUint8Array;
  decoder: () => Decoder<T>;
}

function kind<T>(program: Address, discriminator: ReadonlyUint8Array, decoder: () => Decoder<T>): Kind<T> {
  return { program, discriminator, decoder };
}

export const PROTOCOL = kind(MODEL_TOKEN_PROGRAM_ADDRESS, PROTOCOL_DISCRIMINATOR, getProtocolDecoder);
export const MODEL = kind(MODEL_TOKEN_PROGRAM_ADDRESS, MODEL_DISCRIMINATOR, getModelDecoder);
export const VERSION = kind(MODEL_TOKEN_PROGRAM_ADDRESS, MODEL_VERSION_DISCRIMINATOR, getModelVersionDecoder);
export const OFFERING = kind(MODEL_TOKEN_PROGRAM_ADDRESS, OFFERING_DISCRIMINATOR, getOfferingDecoder);
export const COMMITMENT = kind(MODEL_TOKEN_PROGRAM_ADDRESS, COMMITMENT_DISCRIMINATOR, getCommitmentDecoder);
export const METADATA_UPDATE = kind(MODEL_TOKEN_PROGRAM_ADDRESS, METADATA_UPDATE_DISCRIMINATOR, getMetadataUpdateDecoder);
export const APPOINTMENT = kind(MODEL_TOKEN_PROGRAM_ADDRESS, APPOINTMENT_DISCRIMINATOR, getAppointmentDecoder);

export const OPERATOR = kind(OPML_ORACLE_PROGRAM_ADDRESS, OPERATOR_DISCRIMINATOR, getOperatorDecoder);
export const REPORT = kind(OPML_ORACLE_PROGRAM_ADDRESS, REPORT_DISCRIMINATOR, getReportDecoder);
export const DISPUTE = kind(OPML_ORACLE_PROGRAM_ADDRESS, DISPUTE_DISCRIMINATOR, getDisputeDecoder);
export const TRACE = kind(OPML_ORACLE_PROGRAM_ADDRESS, TRACE_DISCRIMINATOR, getTraceDecoder);
export const INQUIRY = kind(OPML_ORACLE_PROGRAM_ADDRESS, INQUIRY_DISCRIMINATOR, getInquiryDecoder);

export const MODEL_VAULT = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, MODEL_VAULT_DISCRIMINATOR, getModelVaultDecoder);
export const BUCKET = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, BUCKET_DISCRIMINATOR, getBucketDecoder);
export const COLLECTION = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, COLLECTION_DISCRIMINATOR, getCollectionDecoder);
export const CREDIT = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, CREDIT_DISCRIMINATOR, getCreditDecoder);
export const LANE = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, LANE_DISCRIMINATOR, getLaneDecoder);
export const SESSION = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, SESSION_DISCRIMINATOR, getSessionDecoder);
export const EARNINGS = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, EARNINGS_DISCRIMINATOR, getEarningsDecoder);
export const CONTRIBUTIONS = kind(REVENUE_ESCROW_PROGRAM_ADDRESS, CONTRIBUTIONS_DISCRIMINATOR, getContributionsDecoder);

export const POOL = kind(YIELD_DISTRIBUTOR_PROGRAM_ADDRESS, POOL_DISCRIMINATOR, getPoolDecoder);
export const POSITION = kind(YIELD_DISTRIBUTOR_PROGRAM_ADDRESS, POSITION_DISCRIMINATOR, getPositionDecoder);
export const EPOCH_MARK = kind(YIELD_DISTRIBUTOR_PROGRAM_ADDRESS, EPOCH_MARK_DISCRIMINATOR, getEpochMarkDecoder);
export const VESTING = kind(YIELD_DISTRIBUTOR_PROGRAM_ADDRESS, VESTING_DISCRIMINATOR, getVestingDecoder);

/** Where the first relation of an account stands: behind discriminator, version and bump. */
export const FIRST_KEY = 10n;
/** Where the second one stands. */
export const SECOND_KEY = 42n;
