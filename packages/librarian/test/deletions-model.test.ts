/** The deletion model in small (reliability B1); in full it is `npm run test:faults -- --only deletions-model`. */
import { expect, test } from 'vitest'
import type { PeerProofs, ProvenCopy } from '../src/services/proofs/peer-proofs.ts'
import { runModel } from './deletions-model/model.ts'

const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 1e6))
const steps = Number(process.env.ARRIERO_MODEL_STEPS ?? 1200)

/** On a machine that does many things at once. */
const STEP_MS = 100

test(
  `B1, B2, B3, B6: no deletion on three sites brings a file below its floor (seed ${seed})`,
  async () => {
    const report = await runModel({ seed, steps })
    expect(report.violation, `seed ${seed}`).toBeUndefined()
    // It is no proof of anything if nothing happens in it.
    for (const act of ['delete', 'deleteTogether', 'clone', 'send', 'purge', 'restore', 'tier', 'rot', 'crashSoon']) {
      expect(report.done[act] ?? 0, act).toBeGreaterThan(0)
    }
  },
  Math.max(60_000, steps * STEP_MS),
)

/** What must not be weakened, each with a seed by which the model has noticed it. */
const weakened: readonly (readonly [string, Omit<Parameters<typeof runModel>[0], 'steps'>])[] = [
  ['holds are forgotten, and announced copies held', { seed: 3, forgetsHolds: true }],
  ['copies that disagree are believed', { seed: 1, weaken: believing(({ disagreeing }) => disagreeing) }],
  [
    'librarians that cannot be reached are counted',
    {
      seed: 2,
      weaken: believing(({ unreachable }) => unreachable.map(each => ({ ...each, storeId: 1, instanceId: 1 }))),
    },
  ],
]

test.each(weakened)(
  'the model notices when %s',
  async (_, options) => {
    let report = await runModel({ ...options, steps: 600 })
    for (let more = 1; report.violation === undefined && more < 8; more++) {
      report = await runModel({ ...options, seed: options.seed + 1000 * more, steps: 600 })
    }
    expect(report.violation).toMatch(/good copies/)
  },
  300_000,
)

type Report = Awaited<ReturnType<PeerProofs['ask']>>

function believing(more: (report: Report) => readonly Omit<ProvenCopy, 'holdId' | 'heldUntilMs'>[]) {
  const held = { holdId: 'none', heldUntilMs: Number.POSITIVE_INFINITY }
  return (peers: PeerProofs): PeerProofs => ({
    ...peers,
    async ask(request) {
      const report = await peers.ask(request)
      const believed = more(report).map(each => ({ ...each, ...held }))
      return { ...report, disagreeing: [], proven: [...report.proven, ...believed] }
    },
  })
}
