import type { LibrarianError } from '@arriero/api'
import { createStore, type Store } from '../state/store.ts'

export interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
  /** What can be done about it. */
  readonly remedy?: string | undefined
  /** As `Undo`. */
  readonly action?: { readonly label: string; readonly run: () => Promise<void> } | undefined
}

export interface Toasts {
  readonly all: Store<readonly Toast[]>
  /** Said and, without an action, gone after ten seconds. */
  tell(text: string, action?: Toast['action']): void
  /** Stays until it is put away. */
  fail(error: LibrarianError): void
  remove(id: number): void
}

const STAYS_MS = 10_000

export function createToasts(): Toasts {
  const all = createStore<readonly Toast[]>([])
  let last = 0
  const add = (toast: Omit<Toast, 'id'>): number => {
    const id = ++last
    all.set([...all.get().slice(-3), { id, ...toast }])
    return id
  }
  const remove = (id: number) => all.set(all.get().filter(toast => toast.id !== id))
  return {
    all,
    remove,
    tell(text, action) {
      const id = add({ tone: 'good', text, action })
      if (!action) setTimeout(remove, STAYS_MS, id)
    },
    fail: error => void add({ tone: 'bad', text: error.message, remedy: error.remedy }),
  }
}
