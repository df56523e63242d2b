/** Tests of the project that do more here than `npm test` has time for. */

export interface LongerTest {
  /** Its first word is the kind that it is counted with. */
  readonly name: string
  readonly file: string
  /** Part of the test's own name. */
  readonly title: string
  readonly env: Readonly<Record<string, string>>
  /** How much it does. */
  readonly note: string
}

/** How much is wanted; undefined: the usual. */
export interface LongerTestsOptions {
  readonly isQuick: boolean
  readonly seed: string
  readonly steps?: string | undefined
  readonly damages?: string | undefined
  readonly kills?: string | undefined
}

export function longerTests({ isQuick, seed, ...wanted }: LongerTestsOptions): readonly LongerTest[] {
  const rounds = isQuick ? 10 : 40
  const steps = wanted.steps ?? String(isQuick ? 3000 : 100_000)
  const damages = wanted.damages ?? String(isQuick ? 1000 : 10_000)
  const kills = wanted.kills ?? String(isQuick ? 24 : 200)
  return [
    // Processes at a store are killed at instants that nobody chose (reliability A1, A3).
    {
      name: 'store SIGKILL',
      file: 'packages/librarian/src/stores/local/processes.test.ts',
      title: 'killed at any instant',
      env: { ARRIERO_KILL_ROUNDS: String(rounds) },
      note: `${rounds} kills`,
    },
    // Three sites, and whatever may happen to them: no deletion brings a file below its floor (reliability B1).
    {
      name: 'deletions-model',
      file: 'packages/librarian/test/deletions-model.test.ts',
      title: 'no deletion on three sites',
      env: { ARRIERO_MODEL_STEPS: steps, ARRIERO_SEED: seed },
      note: `${steps} steps, seed ${seed}`,
    },
    // Damages of copies at rest are found and repaired, and no byte is lost (reliability 9, rot).
    {
      name: 'rot',
      file: 'packages/librarian/test/rot.test.ts',
      title: 'damages are all found',
      env: { ARRIERO_DAMAGES: damages, ARRIERO_SEED: seed },
      note: `${damages} damages, seed ${seed}`,
    },
    // Three librarians and a carried disk, servers and commands killed: every file is everywhere in the end (reliability E, G4).
    {
      name: 'world',
      file: 'e2e/program/world.test.ts',
      title: 'three sites and a carried disk',
      env: { ARRIERO_WORLD_KILLS: kills, ARRIERO_SEED: seed },
      note: `${kills} kills of servers, seed ${seed}`,
    },
  ]
}
