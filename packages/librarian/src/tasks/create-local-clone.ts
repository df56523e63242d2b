/** Copies from store to store (librarian 12.2). */
import type { LocalClones } from '../services/local-clones/local-clones.ts'
import type { SiteStore, Stores } from '../stores/stores.ts'
import { cursorAfter, daySeconds, off, outcomeOf } from './pages.ts'
import { type TaskKind, task } from './task.ts'

export interface LocalCloneTaskOptions {
  readonly clones: LocalClones
  readonly stores: Pick<Stores, 'byName'>
}

export function createLocalCloneTask({ clones, stores }: LocalCloneTaskOptions): TaskKind {
  return task<'create_local_clone'>({
    key: 'create_local_clone',
    async run(settings, context) {
      const { clone_from, clone_to, age_in_days, files_per_run, disable_store_on_full } = settings
      const names = [clone_to].flat()
      const from = stores.byName(clone_from)
      const to = names.map(name => stores.byName(name)).filter((site): site is SiteStore => site !== undefined)
      if (!from || to.length < names.length) return off([clone_from, ...names], stores)
      const { made, failed, bytes, after, isFull } = await clones.run({
        from,
        to,
        ages: { youngerThanSeconds: age_in_days * daySeconds },
        most: files_per_run,
        disablesFull: disable_store_on_full,
        after: cursorAfter(context.cursor),
        signal: context.signal,
        isOverdue: context.isOverdue,
        progress: ({ made, failed, bytes }) => context.progress({ made, failed, bytes }),
      })
      context.keep(after === undefined || isFull ? undefined : { after })
      return {
        outcome: outcomeOf(isFull, after),
        note: `${made} copied, ${failed} failed${isFull ? '; no store had room' : ''}`,
        counts: { made, failed, bytes },
      }
    },
  })
}
