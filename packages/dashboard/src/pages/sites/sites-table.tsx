import { Button } from '../../components/button.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { formatFiles } from '../../text/bytes.ts'
import { parseTime } from '../../text/time.ts'
import { waysOf } from './lay-out-map.ts'
import { type Site, SiteState } from './site-state.tsx'
import { SwitchSite } from './switch-site.tsx'

export interface SitesTableProps {
  readonly sites: readonly Site[] | undefined
  readonly again: () => void
  /** Undefined: who is logged in may neither pause nor remove. */
  readonly onRemove: ((site: Site) => void) | undefined
}

const shown: readonly Column<Site>[] = [
  {
    key: 'name',
    label: 'Site',
    isTitle: true,
    cell: site => (
      <span class="told">
        {site.librarian_name}
        <span class="soft">{wayText(site)}</span>
      </span>
    ),
    sort: site => site.librarian_name,
  },
  { key: 'state', label: 'State', cell: site => <SiteState of={site} /> },
  {
    key: 'out',
    label: 'Waits for it',
    align: 'end',
    cell: site => <Open of={site.outgoing} to={transfersOf(site, 'out')} />,
    sort: site => site.outgoing.bytes,
  },
  {
    key: 'in',
    label: 'Comes from it',
    align: 'end',
    cell: site => <Open of={site.incoming} to={transfersOf(site, 'in')} />,
    sort: site => site.incoming.bytes,
  },
  { key: 'week', label: 'Last seven days', cell: weekText },
  { key: 'copies', label: 'Copies there', align: 'end', cell: site => <Count of={site.copies} /> },
  { key: 'seen', label: 'Last seen', cell: site => <LastSeen of={site} />, sort: site => parseTime(site.last_seen) },
]

/** All that the map shows, and more. */
export function SitesTable({ sites, again, onRemove }: SitesTableProps) {
  const act: Column<Site> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: site => (
      <span class="actions">
        <SwitchSite site={site} again={again} />
        <Button kind="danger" label={`Remove ${site.librarian_name}`} onPress={() => onRemove?.(site)}>
          Remove…
        </Button>
      </span>
    ),
  }
  return (
    <Table
      caption="Other librarians"
      columns={onRemove ? [...shown, act] : shown}
      rows={sites}
      keyOf={({ librarian_name }) => librarian_name}
      empty="No other librarian is known here."
    />
  )
}

function wayText(site: Site): string {
  const { sends, receives } = waysOf(site)
  if (sends && receives) return 'both ways'
  if (sends) return 'sends to us'
  return receives ? 'gets from us' : 'nothing goes to or fro'
}

function weekText({ sent, received }: Site) {
  return (
    <span class="told">
      <span>
        {formatFiles(sent.files)} sent{sent.failed > 0 && <b class="tone-bad">, {sent.failed} failed</b>}
      </span>
      <span>
        {formatFiles(received.files)} received
        {received.failed > 0 && <b class="tone-bad">, {received.failed} failed</b>}
      </span>
    </span>
  )
}

/** When we last got an answer from it, and when it last called us. */
function LastSeen({ of: { last_seen, last_heard } }: { readonly of: Site }) {
  return (
    <span class="told">
      <span>
        answered <Time at={last_seen} form="ago" />
      </span>
      <span>
        called <Time at={last_heard} form="ago" />
      </span>
    </span>
  )
}

function Open({ of: { files, bytes }, to }: { readonly of: Site['outgoing']; readonly to: string }) {
  if (files === 0) return <Count of={0} />
  return (
    <Link to={to}>
      {formatFiles(files)}, <Bytes of={bytes} />
    </Link>
  )
}

function transfersOf({ librarian_name }: Site, direction: 'in' | 'out'): string {
  return `/transfers?direction=${direction}&site=${encodeURIComponent(librarian_name)}`
}
