/** Handing over to the person: the daemon pauses the session on this answer. */

import { ActionError } from '../protocol.js';

/** @param {import('./index.js').Context<'require-human'>} context @returns {Promise<never>} */
export async function requireHuman({ params }) {
  const attach = params.forAttach ? ` (to attach: ${params.forAttach})` : '';
  throw new ActionError('HUMAN_REQUIRED', `${params.reason}${attach}`, { suggestedAction: 'bproxy session wait' });
}
