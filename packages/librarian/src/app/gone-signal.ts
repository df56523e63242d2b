import type { ServerResponse } from 'node:http'

/** Aborts when the caller's connection ends before the answer does. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('The caller has gone.'))
  })
  return controller.signal
}
