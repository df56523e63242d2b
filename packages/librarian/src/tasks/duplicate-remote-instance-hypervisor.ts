import { type TaskKind, task } from './task.ts'

/**
 * Served for settings that name it (librarian 12.9): a catalogue of ours never has a copy of another librarian twice, because
 * its row is unique by file, librarian and store.
 */
export const duplicateRemoteInstanceHypervisorTask = (): TaskKind =>
  task({
    key: 'duplicate_remote_instance_hypervisor',
    run: async () => ({ outcome: 'done', note: 'no copy can be known twice', counts: { removed: 0 } }),
  })
