import type { DeploymentFinding } from './finding.ts'

/** Beyond this, leases, tickets and the ages of proofs are judged wrongly by one of the two; answers tell whole seconds. */
const TOLERATED_MS = 30_000

/** @param aheadMs how far the other clock is ahead of ours */
export function clockFinding(whose: string, aheadMs: number): DeploymentFinding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) <= TOLERATED_MS) return { check: 'clock', level: 'ok', found: `as that of ${whose}` }
  const way = aheadMs > 0 ? 'behind' : 'ahead of'
  return {
    check: 'clock',
    level: 'warn',
    found: `this machine’s is ${seconds} s ${way} that of ${whose}`,
    next: 'Have both kept by NTP (timedatectl set-ntp true); see which one is wrong.',
  }
}
