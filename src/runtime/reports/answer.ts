import { reportParty } from '../explain.ts';
import type { HostMessage } from '../host-messages.ts';
import type { PartyHost } from '../party-host.ts';
import { Recorder } from '../recorder.ts';
import { actorsOf } from './party-actors.ts';
import { tasksOf } from './party-tasks.ts';

/** Answers the control thread's questions about what this party alone knows. */
export function answerWithReport(host: PartyHost): (message: HostMessage) => void {
  return (message) => {
    if (message.type !== 'ask') return;
    const { question, what, limit } = message;
    host.mailer.post(0, { type: 'answer', question, answer: answer(host, what, limit ?? 0) });
  };
}

function answer(host: PartyHost, what: string, limit: number): unknown {
  switch (what) {
    case 'tasks':
      return tasksOf(host, limit);
    case 'record':
      host.recorder = new Recorder(host);
      return true;
    case 'recorded': {
      const recording = host.recorder?.report() ?? null;
      host.recorder = null;
      return recording;
    }
    case 'actors':
      return actorsOf(host);
    case 'origins':
      return host.origins.report();
    default:
      return reportParty(host);
  }
}
