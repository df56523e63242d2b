import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until it is so. @throws after a minute, with `what` */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await isSo()); await sleep(100)) {
    if (Date.now() > end) throw new Error(`Not within a minute: ${what}`)
  }
}
