/** What all hosts of services do with a request: log it, meet its faults, answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour } from '../fault-server/behaviour.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import { type FaultServer, type FaultServerOptions, startFaultServer } from '../fault-server.ts'
import { type Answer, refusal } from './answers.ts'
import type { Fault, FaultOptions, FaultSwitches, SwitchedFault } from './fault-switches.ts'
import { type CommonsRequest, maxConcurrent, RequestLog } from './log.ts'
import type { Route, RouteGroup } from './routes.ts'
import { isWithin } from './routes.ts'

/** A request that has found its route. */
export interface Handled {
  readonly route: Route
  /** What it is about, if it is about one thing. */
  readonly guid?: string | undefined
  /** `{}`: the fault server answers from its resources. */
  readonly handle: () => Answer | Promise<Answer>
}

export interface AnswerParts {
  readonly request: FaultRequest
  readonly handled: Handled
  readonly faults: FaultSwitches
  readonly log: RequestLog
}

export async function answerRequest({ request, handled, faults, log }: AnswerParts): Promise<Behaviour> {
  const { route, guid, handle } = handled
  log.add(request, route, guid)
  const { delayMs, ...fault } = faults.take(route, guid, request)
  // Before the decision: what is issued is fresh when it leaves.
  if (delayMs) await sleep(delayMs, undefined, { ref: false })
  if (fault.noAnswer !== undefined || fault.raw !== undefined) return fault
  const answer = isAnswered(fault) ? faultAnswer(route, fault) : await handle()
  return { ...answer, ...fault, headers: { ...answer.headers, ...fault.headers } }
}

function isAnswered({ status, body, location }: Behaviour): boolean {
  return (status !== undefined && status !== 200) || body !== undefined || location !== undefined
}

function faultAnswer(route: Route, { status = 200, body, location }: Behaviour): Answer {
  return body === undefined && location === undefined ? refusal(route, status) : { body: body ?? '' }
}

/** A host of its own, beside the commons: GDC, a resolver, DRSHub. */
export class ServiceHost implements AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string
  /** The server itself: connections, `stopListening`, … */
  readonly server: FaultServer
  readonly #log: RequestLog
  readonly #faults: FaultSwitches

  protected constructor(server: FaultServer, log: RequestLog, faults: FaultSwitches) {
    this.server = server
    this.origin = server.origin
    this.#log = log
    this.#faults = faults
  }

  get requests(): readonly CommonsRequest[] {
    return this.#log.requests
  }

  requestsFor(place: Route | RouteGroup, guid?: string): CommonsRequest[] {
    return this.requests.filter(one => isWithin(one.route, place) && (guid === undefined || one.guid === guid))
  }

  maxConcurrent(place: Route | RouteGroup): number {
    return maxConcurrent(this.requestsFor(place))
  }

  fault(target: Route | RouteGroup | (string & {}), fault: Fault, options: FaultOptions = {}): SwitchedFault {
    return this.#faults.add(target, fault, options)
  }

  latency(place: Route | RouteGroup, ms: number): SwitchedFault {
    return this.fault(place, { delayMs: ms })
  }

  close(): Promise<void> {
    return this.server.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export interface HostParts {
  readonly server: FaultServer
  readonly log: RequestLog
  readonly faults: FaultSwitches
}

/** `find` is asked only when the host listens. */
export async function startHost(
  find: (request: FaultRequest) => Handled,
  options: FaultServerOptions,
  faults: FaultSwitches,
): Promise<HostParts> {
  const log = new RequestLog()
  const script = (request: FaultRequest) => answerRequest({ request, handled: find(request), faults, log })
  return { server: await startFaultServer({ ...options, script }), log, faults }
}
