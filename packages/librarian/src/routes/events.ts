/** What is new, as server-sent events: so that an open dashboard need not ask. */
import type { EventStream } from '../http/event-stream.ts'
import type { RawRoute } from './raw-route.ts'

export function eventRoutes(stream: EventStream): RawRoute[] {
  return [
    {
      path: '/api/v2/events',
      methods: ['GET'],
      level: 'READONLY',
      handle: (_, response, { caller, again }) => stream.serve(response, caller, again),
      endAll: () => stream.close(),
    },
  ]
}
