/** Kills at instants that a seed chooses: of servers, which are started again, and of commands, which are given again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../../program.ts'
import { siteNames, type World } from './world.ts'

export interface Killer {
  readonly kills: { readonly servers: number; readonly commands: number }
  /** True when so many servers were killed as were to be. */
  readonly isDone: boolean
  /** Kills a server after a while, and starts it again; until there are so many, or the signal. */
  killServers(signal: AbortSignal): Promise<void>
  /**
   * Gives a command until it ends well, by itself. Some attempts are killed.
   *
   * @param isEnd whether an exit code says that it need not be given again
   */
  insist(args: readonly string[], isEnd: (outcome: Outcome) => boolean): Promise<Outcome>
}

/** A command that fails so often in a row, without any kill, does not fail because of kills. */
const mostFailures = 20

export function createKiller(world: World, count: number, random: () => number): Killer {
  const kills = { servers: 0, commands: 0 }
  const isDone = () => kills.servers >= count
  return {
    kills,
    get isDone() {
      return isDone()
    },
    async killServers(signal) {
      while (!isDone() && !signal.aborted) {
        // From before its first call to when it is at work.
        await sleep(random() * 1500)
        const site = world.sites[siteNames[Math.floor(random() * siteNames.length)]!]
        await site.kill()
        kills.servers++
        await site.start()
      }
    },
    async insist(args, isEnd) {
      for (let failures = 0; ; ) {
        const isToBeKilled = !isDone() && random() < 0.5
        const { process, outcome } = world.start(args)
        if (isToBeKilled) {
          await Promise.race([sleep(300 + random() * 1200), outcome])
          if (process.exitCode === null && process.kill('SIGKILL')) kills.commands++
        }
        const ended = await outcome
        if (isEnd(ended)) return ended
        // 128 + SIGKILL
        if (ended.code !== 137) failures++
        if (failures > mostFailures) {
          throw new Error(`arriero ${args.join(' ')} ends with ${ended.code}: ${ended.stderr}${ended.stdout}`)
        }
      }
    },
  }
}
