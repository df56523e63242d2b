import type { Clock } from '../../clock.ts'
import type { Meters } from '../meters.ts'
import type { CommitRequest, Commits, Committed } from './commits.ts'

/** Commits that are counted. Who asks again for one that is under way is counted again: it waited, too. */
export function withMeters(
  commits: Commits,
  { meters, clock }: { meters: Meters; clock: Pick<Clock, 'now'> },
): Commits {
  async function commit(request: CommitRequest): Promise<Committed> {
    const begun = clock.now()
    const tell = (outcome: Committed['outcome'] | 'failed') =>
      meters.commit({
        origin: request.origin.from,
        outcome,
        bytes: outcome === 'committed' ? request.size : 0,
        seconds: (clock.now() - begun) / 1000,
      })
    try {
      const committed = await commits.commit(request)
      tell(committed.outcome)
      return committed
    } catch (error) {
      tell('failed')
      throw error
    }
  }
  return { ...commits, commit, [Symbol.asyncDispose]: () => commits[Symbol.asyncDispose]() }
}
