import type { SendClone } from '../services/sending/send-clone.ts'
import { type TaskKind, task } from './task.ts'

/** Sends to one librarian what it lacks (librarian 12.3). Entries for several librarians run beside each other. */
export const sendCloneTask = (sendClone: SendClone): TaskKind =>
  task<'send_clone'>({
    key: 'send_clone',
    atOnce: 8,
    librarian: ({ destination_librarian }) => destination_librarian,
    run: (settings, context) => sendClone(settings, context),
  })
