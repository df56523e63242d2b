import type { Hooks } from '@arriero/transfer'

/** Says what was proven of each file. */
const log: Hooks = {
  onFileDone({ uri, bytes, verification, error }) {
    if (error) console.error(`${uri} failed: ${error instanceof Error ? error.message : error}`)
    else console.error(`${uri} ${bytes} bytes, proven by ${verification?.proof}`)
  },
  onDone: ({ files, failed }) => console.error(`${files - failed} of ${files} files`),
  // A screen that cannot be written to is no reason to fail.
  advisory: ['onFileDone', 'onDone'],
}

export default log
