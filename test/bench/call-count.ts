import { Session } from 'node:inspector/promises';

/** Counts how often a function is called, as V8 counts it. What runs meanwhile is slower: not to be timed. */
export class CallCount {
  private readonly session = new Session();

  async start(): Promise<void> {
    this.session.connect();
    await this.session.post('Profiler.enable');
    await this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /**
   * Ends the count.
   * @param file end of the path of the file that the function stands in
   */
  async stop(file: string, name: string): Promise<number> {
    const { result } = await this.session.post('Profiler.takePreciseCoverage');
    await this.session.post('Profiler.stopPreciseCoverage');
    this.session.disconnect();
    const functions = result.filter(({ url }) => url.endsWith(file)).flatMap((script) => script.functions);
    const counted = functions.filter(({ functionName }) => functionName === name);
    return counted.reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
  }
}
