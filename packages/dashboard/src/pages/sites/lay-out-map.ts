/** Where the sites stand on the map: those that only send to us at the left, all others at the right, we between them. */
import type { Site } from './site-state.tsx'

/** Of the map, in its own units: on a phone, pixels. */
export const MAP_WIDTH = 360
export const BOX = { width: 104, height: 44 } as const
const ROW = 64
const LONGEST_NAME = 14

export interface MapBox {
  /** Of its upper left corner. */
  readonly x: number
  readonly y: number
}

export interface MapSite extends MapBox {
  readonly site: Site
  /** Short enough for its box. */
  readonly label: string
  readonly sends: boolean
  readonly receives: boolean
  /** Between the boxes, from ours to its. */
  readonly line: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number }
}

export interface SiteMap {
  readonly height: number
  readonly here: MapBox
  readonly sites: readonly MapSite[]
}

export function layOutMap(sites: readonly Site[]): SiteMap {
  const ways = sites.map(site => ({ site, ...waysOf(site) }))
  const left = ways.filter(({ sends, receives }) => sends && !receives)
  const right = ways.filter(way => !left.includes(way))
  const height = Math.max(1, left.length, right.length) * ROW
  // With nobody at one side, the room is left to the lines.
  const hereX = left.length === 0 ? 0 : right.length === 0 ? MAP_WIDTH - BOX.width : (MAP_WIDTH - BOX.width) / 2
  const here = { x: hereX, y: (height - BOX.height) / 2 }
  const column = (of: typeof ways, x: number): MapSite[] =>
    of.map((way, index) => {
      const y = (height / of.length) * (index + 0.5) - BOX.height / 2
      const isLeft = x < here.x
      return {
        ...way,
        x,
        y,
        label: shorten(way.site.librarian_name),
        line: {
          x1: isLeft ? here.x : here.x + BOX.width,
          y1: here.y + BOX.height / 2,
          x2: isLeft ? x + BOX.width : x,
          y2: y + BOX.height / 2,
        },
      }
    })
  return { height, here, sites: [...column(left, 0), ...column(right, MAP_WIDTH - BOX.width)] }
}

/** Who sends to whom, by what is open and what went in the last seven days. One that nothing came from is there to be sent to. */
export function waysOf({ enabled, outgoing, incoming, sent, received }: Site): {
  readonly sends: boolean
  readonly receives: boolean
} {
  const sends = incoming.files > 0 || received.files > 0
  const hasGot = outgoing.files > 0 || sent.files > 0
  return { sends, receives: hasGot || (enabled && !sends) }
}

export function shorten(name: string): string {
  const characters = [...name]
  return characters.length <= LONGEST_NAME ? name : `${characters.slice(0, LONGEST_NAME - 1).join('')}…`
}
