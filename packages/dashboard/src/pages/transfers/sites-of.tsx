import { levels } from '@arriero/api'
import { Section } from '../../components/page.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { type Site, SiteState } from '../sites/site-state.tsx'
import { SwitchSite } from '../sites/switch-site.tsx'
import type { Direction } from './queries.ts'

export interface SitesOfProps {
  readonly direction: Direction
  /** Name of the one whose transfers alone are shown; empty: all. */
  readonly chosen: string
}

/** What is open, by the site at the other end. */
export function SitesOf({ direction, chosen }: SitesOfProps) {
  const { api } = useServices()
  const { to } = useConditions()
  const isAdmin = useLevel() >= levels.ADMIN
  const { data, error, again } = useAnswer(signal => api.dashboard.sites({}, { signal }), [], {
    topics: ['transfers'],
  })
  const open = (site: Site) => (direction === 'in' ? site.incoming : site.outgoing)
  const shown: readonly Column<Site>[] = [
    {
      key: 'name',
      label: direction === 'in' ? 'From' : 'To',
      isTitle: true,
      cell: ({ librarian_name: name }) => (
        <Link to={to({ site: name === chosen ? undefined : name })} isCurrent={name === chosen}>
          {name}
        </Link>
      ),
    },
    { key: 'state', label: 'State', cell: site => <SiteState of={site} /> },
    { key: 'files', label: 'Open', align: 'end', cell: site => <Count of={open(site).files} /> },
    { key: 'bytes', label: 'Size', align: 'end', cell: site => <Bytes of={open(site).bytes} /> },
  ]
  const act: Column<Site> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: site => <SwitchSite site={site} again={again} />,
  }
  return (
    <Section
      title={direction === 'in' ? 'By origin' : 'By destination'}
      note={
        chosen === '' ? 'choose one to see its transfers alone' : <Link to={to({ site: undefined })}>all sites</Link>
      }
    >
      <Table
        caption="Open transfers by site"
        columns={isAdmin && direction === 'out' ? [...shown, act] : shown}
        rows={data?.sites}
        keyOf={({ librarian_name }) => librarian_name}
        empty="No other librarian is known here."
        error={error}
        again={again}
      />
    </Section>
  )
}
