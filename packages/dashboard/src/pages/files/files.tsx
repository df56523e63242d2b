import type { AnswerOf, endpoints } from '@arriero/api'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { PageHead } from '../../components/page.tsx'
import { StateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count, None, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useStore } from '../../state/use-store.ts'
import { formatCount, formatFiles } from '../../text/bytes.ts'
import { moveAmongRows, ROW_LINK } from './move-among-rows.ts'

type Found = AnswerOf<typeof endpoints.dashboard.files>
type Row = Found['files'][number]
/** The pages behind the first one. */
type Rest = Pick<Found, 'files' | 'next'>

const PAGE = 50
/** Shorter than between two keys of a fast typist it would ask for what nobody waits for. */
const REST_MS = 120

const columns: readonly Column<Row>[] = [
  {
    key: 'name',
    label: 'Name',
    isTitle: true,
    cell: ({ file_name }) => (
      <Link to={pathOf('/files', file_name)} class={ROW_LINK}>
        {file_name}
      </Link>
    ),
  },
  { key: 'size', label: 'Size', align: 'end', cell: ({ size }) => <Bytes of={size} /> },
  { key: 'created', label: 'Created', cell: ({ create_time }) => <Time at={create_time} /> },
  { key: 'uploader', label: 'Uploader', cell: ({ uploader }) => uploader },
  { key: 'here', label: 'Copies here', align: 'end', cell: ({ copies }) => <Count of={copies} /> },
  { key: 'away', label: 'Elsewhere', align: 'end', cell: ({ remote_copies }) => <Count of={remote_copies} /> },
  {
    key: 'state',
    label: 'State',
    cell: ({ state }) => (state === null ? <None why="no copy here" /> : <StateOf state={state} />),
  },
]

/** Search as you type, by name; the arrows move among what was found, Enter opens it. */
export default function FilesPage() {
  const { api, router } = useServices()
  const query = new URLSearchParams(useStore(router.place).search).get('q') ?? ''
  const [rest, setRest] = useState<Rest>()
  useEffect(() => setRest(undefined), [query])
  const found = useAnswer(signal => api.dashboard.files({ query, limit: PAGE }, { signal }), [query], {
    restMs: REST_MS,
    // Who looks at the pages behind the first one would lose their place.
    topics: rest ? [] : ['overview'],
  })
  const rows = found.data && [...found.data.files, ...(rest?.files ?? [])]
  const next = rest ? rest.next : found.data?.next
  const loadMore = async () => {
    const page = await api.dashboard.files({ query, limit: PAGE, after: next! })
    setRest({ files: [...(rest?.files ?? []), ...page.files], next: page.next })
  }
  const field = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => field.current?.focus(), [])
  const type = (text: string) =>
    router.go(text === '' ? '/files' : `/files?${new URLSearchParams({ q: text })}`, replaces)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrows go from link to link; nothing is hidden from others.
    <div class="files" onKeyDown={moveAmongRows}>
      <PageHead title="Files" />
      <search class="search">
        <label>
          <span>Name, or parts of it</span>
          <input
            type="search"
            value={query}
            autoComplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={256}
            ref={field}
            onInput={event => type(event.currentTarget.value)}
          />
        </label>
        <p class="soft" role="status">
          {found.data && countText(found.data, rows?.length ?? 0)}
        </p>
      </search>
      <Table
        caption="Files that were found"
        columns={columns}
        rows={rows}
        keyOf={({ file_name }) => file_name}
        empty={query === '' ? 'Nothing is kept here yet.' : `No file has this in its name: ${query}`}
        error={found.error}
        again={found.again}
        isLoading={found.isLoading}
      />
      {next && <Button onPress={loadMore}>Show more</Button>}
    </div>
  )
}

const replaces = { replaces: true }

function countText({ total, more }: Found, shown: number): string {
  if (total !== null) return total > shown ? `${formatFiles(total)}, ${formatCount(shown)} shown` : formatFiles(total)
  return more ? `More than ${formatFiles(shown)}` : formatFiles(shown)
}
