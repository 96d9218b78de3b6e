/** A SPIRE agent as a workload sees it: the Workload API on a socket, with whatever a test gives. */
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { Issued } from "../../../components/issue";

export interface Given {
  /** `intermediates`: what lies between the SVID and the roots; default nothing. */
  svids: { id: string; svid: Issued; intermediates?: Issued[]; bundle: Issued[] }[];
  /** Roots of other trust domains. */
  federated: Record<string, Issued[]>;
}

export interface Agent {
  /** Tells all who listen; nothing is `no identity issued`. */
  give(given: Given | undefined): void;
  close(): Promise<void>;
}

export async function startAgent(socket: string): Promise<Agent> {
  let current: Given | undefined;
  const streams = new Set<ServerHttp2Stream>();
  const server = createServer();
  server.on("sessionError", () => undefined);
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => undefined).on("close", () => streams.delete(stream));
    const asked = `${String(headers[":path"])} ${String(headers["workload.spiffe.io"])}`;
    if (asked !== "/SpiffeWorkloadAPI/FetchX509SVID true") refuse(stream, 12, asked);
    else if (current === undefined) refuse(stream, 7, "no identity issued");
    else {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(message(current));
      streams.add(stream);
    }
  });
  await new Promise<void>((done) => server.listen(socket, done));
  return {
    give(given) {
      current = given;
      if (given !== undefined) for (const stream of streams) stream.write(message(given));
    },
    close: () =>
      new Promise((done) => {
        for (const stream of streams) stream.destroy();
        server.close(() => {
          done();
        });
      }),
  };
}

const refuse = (stream: ServerHttp2Stream, status: number, why: string): void => {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": status, "grpc-message": encodeURI(why) },
    { endStream: true },
  );
};

/** A gRPC message with an X509SVIDResponse in it. */
function message({ svids, federated }: Given): Buffer {
  const content = Buffer.concat([
    ...svids.map(({ id, svid, intermediates = [], bundle }) =>
      field(
        1,
        field(1, id),
        field(2, ...[svid, ...intermediates].map(({ certificate }) => certificate.raw)),
        field(3, svid.privateKey.export({ format: "der", type: "pkcs8" })),
        field(4, ...bundle.map(({ certificate }) => certificate.raw)),
      ),
    ),
    ...Object.entries(federated).map(([trustDomain, roots]) =>
      field(3, field(1, `spiffe://${trustDomain}`), field(2, ...roots.map(({ certificate }) => certificate.raw))),
    ),
  ]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

function field(number: number, ...content: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]);
