import { grpc } from '@improbable-eng/grpc-web';
import { MessageType, ScalarType } from '@protobuf-ts/runtime';
import { ServiceType } from '@protobuf-ts/runtime-rpc';
import { GrpcWebFetchTransport } from '@protobuf-ts/grpcweb-transport';
import { GrpcWebClientBase, MethodDescriptor, MethodType } from 'grpc-web';

import { SERVICE, decode, encode } from './messages.js';

// Google's own client, which uses XMLHttpRequest.
export function official(format) {
    return async (server) => {
        const client = new GrpcWebClientBase({ format });
        const method = (name, type) => new MethodDescriptor(
            `/${SERVICE}/${name}`, type, String, String, encode, decode,
        );
        const call = (name) => {
            const descriptor = method(name, MethodType.UNARY);
            return client.unaryCall(`${server}/${SERVICE}/${name}`, 'hello', {}, descriptor);
        };
        const said = await call('Say');
        const repeated = await new Promise((done, fail) => {
            const descriptor = method('Repeat', MethodType.SERVER_STREAMING);
            const stream = client.serverStreaming(`${server}/${SERVICE}/Repeat`, 'hello', {}, descriptor);
            let count = 0;
            stream.on('data', () => { count += 1; });
            stream.on('end', () => done(count));
            stream.on('error', fail);
        });
        const failure = await call('Fail').catch(({ code, message }) => `${code} ${message}`);
        return `${said}, ${repeated}, ${failure}`;
    };
}

class Text {
    constructor(text) { this.text = text; }
    serializeBinary() { return encode(this.text); }
    toObject() { return { text: this.text }; }
    static deserializeBinary(bytes) { return new Text(decode(bytes)); }
}

export async function improbable(server) {
    const method = (methodName, responseStream) => ({
        methodName,
        service: { serviceName: SERVICE },
        requestStream: false,
        responseStream,
        requestType: Text,
        responseType: Text,
    });
    const call = (name, stream) => new Promise((done) => {
        const texts = [];
        grpc.invoke(method(name, stream), {
            host: server,
            request: new Text('hello'),
            onMessage: ({ text }) => texts.push(text),
            onEnd: (code, message) => done({ texts, code, message }),
        });
    });
    const said = await call('Say', false);
    if (said.code !== grpc.Code.OK) throw new Error(`${said.code} ${said.message}`);
    const repeated = await call('Repeat', true);
    const failure = await call('Fail', false);
    return `${said.texts[0]}, ${repeated.texts.length}, ${failure.code} ${failure.message}`;
}

export async function protobufTs(server) {
    const Message = new MessageType('echo.v1.Text', [
        { no: 1, name: 'text', kind: 'scalar', T: ScalarType.STRING },
    ]);
    const { methods: [say, repeat, fail] } = new ServiceType(SERVICE, [
        { name: 'Say', options: {}, I: Message, O: Message },
        { name: 'Repeat', serverStreaming: true, options: {}, I: Message, O: Message },
        { name: 'Fail', options: {}, I: Message, O: Message },
    ]);
    const transport = new GrpcWebFetchTransport({ baseUrl: server, format: 'binary' });
    const options = transport.mergeOptions({ timeout: 60000 });
    const said = await transport.unary(say, { text: 'hello' }, options).response;
    let count = 0;
    const stream = transport.serverStreaming(repeat, { text: 'hello' }, options);
    for await (const _ of stream.responses) count += 1;
    const failure = await transport.unary(fail, { text: 'hello' }, options).response
        .catch(({ code, message }) => `${code} ${message}`);
    return `${said.text}, ${count}, ${failure}`;
}
