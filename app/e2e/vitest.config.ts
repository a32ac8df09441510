import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The last file closes the offering that others commit to. */
const ORDER = ["pages", "liar", "operator", "holder", "reports", "developer", "manage", "payouts", "launch", "payer", "failures", "outcomes", "investor"];

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => ORDER.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

// One cluster, one browser, one test at a time: time travel is everybody's.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    globalSetup: "./setup.ts",
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    // Machines differ: whatever another process has to do first is waited for, and only what never comes fails.
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000, interval: 200 } },
    reporters: ["verbose"],
  },
});
