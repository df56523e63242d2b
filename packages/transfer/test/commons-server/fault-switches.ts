import type { Behaviour } from '../fault-server/behaviour.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import { isRoute, isWithin, type Route, type RouteGroup } from './routes.ts'

/** How an answer departs from a good one: any behaviour of the fault server, or decided per request. */
export type Fault = Behaviour | ((request: FaultRequest) => Behaviour | undefined)

export interface FaultOptions {
  /** So many requests meet it, then it is over. Default: all. */
  readonly times?: number | undefined
  /** So many requests go well before. Default 0. */
  readonly after?: number | undefined
  /** With a guid: where it acts. Default where its bytes are: `storage`, at GDC `gdc-data`. */
  readonly at?: Route | RouteGroup | readonly (Route | RouteGroup)[] | undefined
  /** Other requests neither meet it nor count. */
  readonly only?: ((request: FaultRequest) => boolean) | undefined
}

/** A fault that was switched on. */
export interface SwitchedFault {
  /** Requests that have met it. */
  readonly hits: number
  /** Switches it off. */
  remove(): void
}

interface Switch {
  readonly guid: string | undefined
  readonly places: readonly (Route | RouteGroup)[]
  readonly fault: Fault
  readonly options: FaultOptions
  passed: number
  hits: number
}

export class FaultSwitches {
  readonly #home: Route
  #switches: Switch[] = []

  /** `home`: where faults of an object act unless it is said otherwise. */
  constructor(home: Route = 'storage') {
    this.#home = home
  }

  add(target: string, fault: Fault, options: FaultOptions = {}): SwitchedFault {
    const guid = isRoute(target) ? undefined : target
    const places = isRoute(target) ? [target] : [options.at ?? this.#home].flat()
    if (guid === undefined && options.at) throw new TypeError(`Cannot switch ${target} with 'at': it is no guid`)
    const added: Switch = { guid, places, fault, options, passed: 0, hits: 0 }
    this.#switches.push(added)
    const remove = () => {
      this.#switches = this.#switches.filter(one => one !== added)
    }
    return {
      remove,
      get hits() {
        return added.hits
      },
    }
  }

  /** What this request meets; it counts as a hit of each of them. Later switches override earlier ones. */
  take(route: Route, guid: string | undefined, request: FaultRequest): Behaviour {
    return take(this.#switches, { route, guid, request })
  }

  /** What one object of a bulk request meets; faults of the whole route were taken before. */
  takeOf(route: Route, guid: string, request: FaultRequest): Behaviour {
    const own = this.#switches.filter(one => one.guid === guid)
    return take(own, { route, guid, request })
  }
}

interface Met {
  readonly route: Route
  readonly guid: string | undefined
  readonly request: FaultRequest
}

function take(switches: readonly Switch[], met: Met): Behaviour {
  let all: Behaviour = {}
  for (const one of switches) {
    const { times = Infinity, after = 0 } = one.options
    if (one.hits >= times || !isMet(one, met) || one.passed++ < after) continue
    const behaviour = typeof one.fault === 'function' ? one.fault(met.request) : one.fault
    if (!behaviour) continue
    one.hits++
    all = { ...all, ...behaviour }
  }
  return all
}

function isMet({ guid, places, options }: Switch, met: Met): boolean {
  if (guid !== undefined && guid !== met.guid) return false
  return places.some(place => isWithin(met.route, place)) && options.only?.(met.request) !== false
}
