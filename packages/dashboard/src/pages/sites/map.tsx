import type { Tone } from '../../components/tone.tsx'
import { formatCount } from '../../text/bytes.ts'
import { BOX, layOutMap, MAP_WIDTH, type MapBox, type MapSite, shorten } from './lay-out-map.ts'
import type { Site } from './site-state.tsx'

export interface MapProps {
  /** Ours. */
  readonly siteName: string
  readonly sites: readonly Site[]
}

/** Who sends to whom. All of it stands in the table below as well, so readers of screens are told to go there. */
export function SitesMap({ siteName, sites }: MapProps) {
  const { height, here, sites: placed } = layOutMap(sites)
  return (
    <svg
      class="map"
      viewBox={`-2 -2 ${MAP_WIDTH + 4} ${height + 4}`}
      role="img"
      aria-label="Map of who sends to whom; the table below says the same"
    >
      <defs>
        <marker
          id="map-arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          orient="auto-start-reverse"
          markerUnits="userSpaceOnUse"
        >
          <path d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      {placed.map(each => (
        <Way key={each.site.librarian_name} of={each} />
      ))}
      <Box at={here} label={shorten(siteName)} note="this site" title={siteName} tone="busy" />
      {placed.map(({ site, label, x, y }) => (
        <Box key={site.librarian_name} at={{ x, y }} label={label} title={site.librarian_name} {...noteOf(site)} />
      ))}
    </svg>
  )
}

/** Solid: it flows. Dashed: paused, or nobody answers. */
function Way({ of: { site, sends, receives, line } }: { readonly of: MapSite }) {
  const isStill = site.reachable === false || (!site.enabled && !sends)
  const waiting = site.outgoing.files + site.incoming.files
  return (
    <g class={`map-way tone-${site.reachable === false ? 'bad' : site.enabled ? 'idle' : 'warn'}`}>
      <line
        {...line}
        stroke-dasharray={isStill ? '4 4' : undefined}
        marker-start={sends ? 'url(#map-arrow)' : undefined}
        marker-end={receives ? 'url(#map-arrow)' : undefined}
      />
      {waiting > 0 && (
        <text x={(line.x1 + line.x2) / 2} y={(line.y1 + line.y2) / 2 - 6}>
          {formatCount(waiting)}
        </text>
      )}
    </g>
  )
}

interface BoxProps {
  readonly at: MapBox
  readonly label: string
  readonly note: string
  readonly title: string
  readonly tone: Tone
}

function Box({ at: { x, y }, label, note, title, tone }: BoxProps) {
  return (
    <g class={`map-box tone-${tone}`}>
      <title>{title}</title>
      <rect x={x} y={y} {...BOX} rx="6" />
      <text class="map-name" x={x + BOX.width / 2} y={y + 18}>
        {label}
      </text>
      <text x={x + BOX.width / 2} y={y + 34}>
        {note}
      </text>
    </g>
  )
}

function noteOf({ reachable, enabled }: Site): Pick<BoxProps, 'note' | 'tone'> {
  if (reachable === false) return { note: '✕ no answer', tone: 'bad' }
  if (!enabled) return { note: 'paused', tone: 'warn' }
  return reachable ? { note: '✓ answers', tone: 'good' } : { note: 'not asked yet', tone: 'idle' }
}
