/** What a case must reach, and whether it did. Nothing is rounded in our favour: the bare medians are compared. */
import type { ContenderResult } from '../packages/cli/src/bench/rounds.ts'
import { bytes, ratio, seconds } from './units.ts'

export type Claim =
  | {
      kind: 'faster'
      subject: string
      /** Labels; the one that is fastest here counts. Absent ones are passed over. */
      rivals: readonly string[]
      /** The rival's median time must be at least this many times ours. */
      factor: number
    }
  | { kind: 'overhead'; subject: string; reference: string; factor: number }
  | { kind: 'time'; subject: string; seconds: number }
  | { kind: 'memory'; subject: string; bytes: number }

export interface Judgement {
  must: string
  measured: string
  /** `undefined`: it was not measured, because somebody needed for it was absent or failed. */
  isReached: boolean | undefined
  /** Where the limit lies on the axis of the case's metric, for the plot. */
  limit: number | undefined
}

export function judge(claim: Claim, results: readonly ContenderResult[]): Judgement {
  const sound = new Map(results.filter(({ problems }) => problems.length === 0).map(result => [result.label, result]))
  const subject = sound.get(claim.subject)
  const must = describe(claim)
  if (!subject) {
    const ours = results.find(({ label }) => label === claim.subject)
    // A run of ours that failed or was wrong is a miss; one that was left out is not.
    if (ours) return { must, measured: `${claim.subject} failed`, isReached: false, limit: undefined }
    return { must, measured: `${claim.subject} was not run`, isReached: undefined, limit: undefined }
  }
  switch (claim.kind) {
    case 'faster': {
      const rivals = claim.rivals.map(label => sound.get(label)).filter(rival => rival !== undefined)
      const rival = rivals.sort((a, b) => a.wall.median - b.wall.median)[0]
      if (!rival) return { must, measured: 'no rival to compare with', isReached: undefined, limit: undefined }
      const factor = rival.wall.median / subject.wall.median
      return {
        must,
        measured: `${ratio(factor)} × ${rival.label} (${seconds(subject.wall.median)} against ${seconds(rival.wall.median)})`,
        isReached: factor >= claim.factor,
        limit: rival.wall.median / claim.factor,
      }
    }
    case 'overhead': {
      const reference = sound.get(claim.reference)
      if (!reference)
        return { must, measured: `${claim.reference} was not run`, isReached: undefined, limit: undefined }
      const factor = subject.wall.median / reference.wall.median
      const change = Math.abs(factor - 1) * 100
      return {
        must,
        measured: `${change.toFixed(1)} % ${factor >= 1 ? 'slower' : 'faster'} than ${claim.reference}`,
        isReached: factor <= claim.factor,
        limit: reference.wall.median * claim.factor,
      }
    }
    case 'time':
      return {
        must,
        measured: seconds(subject.wall.median),
        isReached: subject.wall.median <= claim.seconds,
        limit: claim.seconds,
      }
    case 'memory':
      // The worst run counts: a limit on memory is kept always or not at all.
      return { must, measured: bytes(subject.rss.max), isReached: subject.rss.max <= claim.bytes, limit: claim.bytes }
  }
}

function describe(claim: Claim): string {
  switch (claim.kind) {
    case 'faster': {
      const rival = claim.rivals.length === 1 ? claim.rivals[0] : 'the fastest peer'
      return `${claim.subject} ≥ ${claim.factor.toFixed(1)} × ${rival}`
    }
    case 'overhead':
      return `${claim.subject} ≤ ${Math.round((claim.factor - 1) * 100)} % slower than ${claim.reference}`
    case 'time':
      return `${claim.subject} ≤ ${seconds(claim.seconds)}`
    case 'memory':
      return `${claim.subject} ≤ ${bytes(claim.bytes)} peak RSS`
  }
}

export function verdict({ isReached }: Judgement): string {
  if (isReached === undefined) return 'not measured'
  return isReached ? 'reached' : 'NOT REACHED'
}
