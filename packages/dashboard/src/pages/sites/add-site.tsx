import { LibrarianError } from '@arriero/api'
import { Dialog } from '../../components/dialog.tsx'
import { Field, Tick } from '../../components/field.tsx'
import { Form, textOf } from '../../components/form.tsx'
import { useServices } from '../../services.ts'
import { siteOf } from './site-of.ts'

/** Makes another librarian known, with the account that it has given us. */
export function AddSite({ onClose }: { readonly onClose: () => void }) {
  const { api, toasts } = useServices()
  const add = async (fields: FormData) => {
    const asked = siteOf(name => textOf(fields, name))
    const isAsked = textOf(fields, 'check') !== ''
    const { success, already_exists, problem } = await api.admin.librariansAdd({
      ...asked,
      check_connection: isAsked,
      check_account: isAsked,
    })
    if (already_exists) {
      throw new LibrarianError(
        'Conflict',
        problem ?? `There is a librarian of the name ${asked.librarian_name} already.`,
        {
          remedy: 'Choose another name, or remove that one first.',
        },
      )
    }
    if (!success) {
      throw new LibrarianError('Conflict', `It was not added: ${problem ?? 'it does not answer there'}.`, {
        remedy: 'Compare the address, the port and the account with its operator, or add it without asking it.',
      })
    }
    toasts.tell(`${asked.librarian_name} is known here now.`)
    onClose()
  }
  return (
    <Dialog title="Add a site" onClose={onClose}>
      <Form what="Add it" onSubmit={add} onCancel={onClose}>
        <Field label="Name" name="name" hint="As it calls itself." />
        <Field label="Address" name="url" type="url" hint="As https://librarian.example.org, without its port." />
        <Field label="Port" name="port" type="number" min={1} max={65_535} first="443" />
        <Field label="User name there" name="user" hint="Of the account that its operator has made for us." />
        <Field label="Password there" name="password" type="password" />
        <Tick label="Ask it first whether it answers and lets us in" name="check" isTicked />
      </Form>
    </Dialog>
  )
}
