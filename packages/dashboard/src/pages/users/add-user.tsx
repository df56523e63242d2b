import { levels } from '@arriero/api'
import { Dialog } from '../../components/dialog.tsx'
import { Field } from '../../components/field.tsx'
import { Form, textOf } from '../../components/form.tsx'
import { useServices } from '../../services.ts'
import { LevelChoice, levelNumberOf } from './level-choice.tsx'

export function AddUser({ onClose }: { readonly onClose: () => void }) {
  const { api, toasts } = useServices()
  const add = async (fields: FormData) => {
    const username = textOf(fields, 'username').trim()
    await api.users.create({
      username,
      password: textOf(fields, 'password'),
      permission: levelNumberOf(textOf(fields, 'level')),
    })
    toasts.tell(`The user ${username} is there.`)
    onClose()
  }
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <Form what="Add the user" onSubmit={add} onCancel={onClose}>
        <Field label="Name" name="username" />
        <Field label="Password" name="password" type="password" />
        <LevelChoice chosen={levels.READONLY} />
      </Form>
    </Dialog>
  )
}
