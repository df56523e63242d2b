import { levels, type Overview } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { Facts, PageHead, Section } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { StoreFill, StoreState } from '../../components/store-room.tsx'
import { Bytes, None, Time } from '../../components/texts.tsx'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useOverview } from '../../state/use-overview.ts'
import { needsOf } from './needs-of.ts'
import { SwitchStore } from './switch-store.tsx'

type Store = Overview['stores'][number]

/** Each store: how full, in what state and why, what to do about it, and what is set. */
export default function StoresPage() {
  const { data, error, again } = useOverview()
  const types = useTypes()
  const isAdmin = useLevel() >= levels.ADMIN
  const [turned, setTurned] = useState<Store>()
  return (
    <>
      <PageHead title="Stores" />
      {error && <Problem error={error} again={again} />}
      {!data && !error && <p class="loading">Loading…</p>}
      {data?.stores.length === 0 && <p class="empty">There is no store. The settings name them.</p>}
      {data?.stores.map(store => (
        <Section
          key={store.store_name}
          title={store.store_name}
          note={
            isAdmin && (
              <Button
                label={`${store.enabled ? 'Switch off' : 'Switch on'} ${store.store_name}`}
                onPress={() => setTurned(store)}
              >
                {store.enabled ? 'Switch off…' : 'Switch on…'}
              </Button>
            )
          }
        >
          <Parts of={store} type={types?.get(store.store_name)} needs={needsOf(store.store_name, data.needs)} />
        </Section>
      ))}
      {turned && <SwitchStore store={turned} onClose={() => setTurned(undefined)} again={again} />}
    </>
  )
}

interface PartsProps {
  readonly of: Store
  /** Undefined: only administrators are told. */
  readonly type: string | undefined
  readonly needs: Overview['needs']
}

function Parts({ of: store, type, needs }: PartsProps) {
  return (
    <>
      {!store.available && store.reason && needs.length === 0 && <p class="reason">{store.reason}</p>}
      {needs.map(({ title, detail, next_step }) => (
        <div key={title} class="problem">
          <div>
            <p>
              <b>{title}</b> {detail}
            </p>
            <p>
              <span class="soft">Next: </span>
              {next_step}
            </p>
          </div>
        </div>
      ))}
      <Facts
        of={[
          ['State', <StoreState key="state" of={store} isShort />],
          ['Full', <StoreFill key="fill" of={store} />],
          ['Free', <Room key="free" of={store} />],
          ['Comes per day', <Bytes key="day" of={store.used_per_day} />],
          ['Full at this rate', <FullTime key="when" at={store.full_time} />],
          ['New uploads', store.ingestable ? 'may land here' : 'land elsewhere: it is set to be read only'],
          ...(type === undefined ? [] : [['Kind', type] as const]),
        ]}
      />
    </>
  )
}

function Room({ of: { free, total } }: { readonly of: Store }) {
  if (free === null) return <None why="not known" />
  return (
    <>
      <Bytes of={free} /> of <Bytes of={total} />
    </>
  )
}

function FullTime({ at }: { readonly at: string | null }) {
  return at === null ? <None why="not at this rate" /> : <Time at={at} />
}

function useTypes(): ReadonlyMap<string, string> | undefined {
  const { api } = useServices()
  const isAdmin = useLevel() >= levels.ADMIN
  const { data } = useAnswer(
    async signal => (isAdmin ? await api.admin.storesList({}, { signal }) : undefined),
    [isAdmin],
  )
  return data && new Map(data.map(({ name, store_type }) => [name, store_type]))
}
