import { type AnswerOf, type endpoints, levelOf } from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { useStore } from '../../state/use-store.ts'
import { AddUser } from './add-user.tsx'
import { ChangeUser } from './change-user.tsx'
import { levelTexts } from './level-choice.tsx'
import { RemoveUser } from './remove-user.tsx'

export type User = AnswerOf<typeof endpoints.users.list>['users'][number]

const PAGE = 100

type Open = { readonly kind: 'add' } | { readonly kind: 'change' | 'remove'; readonly user: User }

/** Who may do what here. */
export default function UsersPage() {
  const { api, session } = useServices()
  const { of } = useConditions()
  const state = useStore(session.state)
  const own = state.kind === 'in' ? state.username : ''
  const after = of('after') || undefined
  const { data, error, again } = useAnswer(
    signal => api.users.list({ after, max_results: PAGE }, { signal }),
    [after],
    { topics: ['users'] },
  )
  const [open, setOpen] = useState<Open>()
  const close = () => {
    setOpen(undefined)
    again()
  }
  return (
    <>
      <PageHead title="Users">
        <Button onPress={() => setOpen({ kind: 'add' })}>Add a user…</Button>
      </PageHead>
      <Section title="Users" note="by name">
        <Table
          caption="Users"
          columns={columnsOf(own, setOpen)}
          rows={data?.users}
          keyOf={({ username }) => username}
          empty="There is none."
          error={error}
          again={again}
        />
        <Pager next={data?.next} forward="Further" first="From the first" />
      </Section>
      {open?.kind === 'add' && <AddUser onClose={close} />}
      {open?.kind === 'change' && <ChangeUser user={open.user} isOwn={open.user.username === own} onClose={close} />}
      {open?.kind === 'remove' && <RemoveUser user={open.user} onClose={close} />}
    </>
  )
}

function columnsOf(own: string, onOpen: (open: Open) => void): readonly Column<User>[] {
  return [
    {
      key: 'name',
      label: 'Name',
      isTitle: true,
      cell: ({ username }) => (
        <>
          {username}
          {username === own && <span class="soft"> (you)</span>}
        </>
      ),
    },
    {
      key: 'level',
      label: 'Level',
      cell: ({ permission }) => levelOf(permission) ?? permission,
      sort: ({ permission }) => permission,
    },
    { key: 'may', label: 'May', cell: ({ permission }) => levelTexts[levelOf(permission) ?? 'NONE'] },
    {
      key: 'act',
      label: '',
      align: 'end',
      cell: user => (
        <span class="actions">
          <Button label={`Change ${user.username}`} onPress={() => onOpen({ kind: 'change', user })}>
            Change…
          </Button>
          {user.username !== own && (
            <Button kind="danger" label={`Remove ${user.username}`} onPress={() => onOpen({ kind: 'remove', user })}>
              Remove…
            </Button>
          )}
        </span>
      ),
    },
  ]
}
