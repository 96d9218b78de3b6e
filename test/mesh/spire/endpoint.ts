/** A bundle endpoint on this machine. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Issued } from "../../components/issue";

export interface Endpoint {
  url: string;
  close: () => Promise<void>;
}

/** Presents the certificate, and answers every request with the status and the body of that moment. */
export async function serve(
  { pem, keyPem }: Issued,
  answer: () => { status?: number; body: object },
): Promise<Endpoint> {
  const server = createServer({ cert: pem, key: keyPem }, (_, response) => {
    const { status = 200, body } = answer();
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => {
    server.listen(0, "localhost", done);
  });
  return {
    url: `https://localhost:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
      }),
  };
}
