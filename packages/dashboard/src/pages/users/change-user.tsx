import { Dialog } from '../../components/dialog.tsx'
import { Field } from '../../components/field.tsx'
import { Form, textOf } from '../../components/form.tsx'
import { useServices } from '../../services.ts'
import { LevelChoice, levelNumberOf } from './level-choice.tsx'
import type { User } from './users.tsx'

export interface ChangeUserProps {
  readonly user: User
  /** Of who is logged in: their own level is for others to change. */
  readonly isOwn: boolean
  readonly onClose: () => void
}

export function ChangeUser({ user: { username, permission }, isOwn, onClose }: ChangeUserProps) {
  const { api, toasts } = useServices()
  const change = async (fields: FormData) => {
    const password = textOf(fields, 'password')
    const level = isOwn ? permission : levelNumberOf(textOf(fields, 'level'))
    await api.users.update({
      username,
      ...(password === '' ? {} : { password }),
      ...(level === permission ? {} : { permission: level }),
    })
    toasts.tell(`The user ${username} is changed.`)
    onClose()
  }
  return (
    <Dialog title={`Change the user ${username}`} onClose={onClose}>
      <p>Whoever is logged in by this account has to log in again.</p>
      <Form what="Change it" onSubmit={change} onCancel={onClose}>
        <Field
          label="New password"
          name="password"
          type="password"
          isRequired={false}
          hint="Empty: it stays as it is."
        />
        <LevelChoice chosen={permission} isDisabled={isOwn} />
      </Form>
    </Dialog>
  )
}
