import { create, createFileRegistry } from '@bufbuild/protobuf';
import {
    FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorProtoSchema,
    FileDescriptorSetSchema, MethodOptions_IdempotencyLevel,
} from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';

import { SERVICE } from './messages.js';

function service() {
    const type = '.echo.v1.Text';
    const file = create(FileDescriptorProtoSchema, {
        name: 'echo.proto',
        package: 'echo.v1',
        syntax: 'proto3',
        messageType: [{
            name: 'Text',
            field: [{
                name: 'text',
                jsonName: 'text',
                number: 1,
                type: FieldDescriptorProto_Type.STRING,
                label: FieldDescriptorProto_Label.OPTIONAL,
            }],
        }],
        service: [{
            name: 'EchoService',
            method: [
                {
                    name: 'Say',
                    inputType: type,
                    outputType: type,
                    // Lets the client send it as a GET, where it is told to.
                    options: { idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS },
                },
                { name: 'Repeat', inputType: type, outputType: type, serverStreaming: true },
                { name: 'Fail', inputType: type, outputType: type },
            ],
        }],
    });
    const set = create(FileDescriptorSetSchema, { file: [file] });
    return createFileRegistry(set).getService(SERVICE);
}

// A limit of time is a header, so a GET with one is preflighted.
async function calls(transport, options = { timeoutMs: 60000 }) {
    const client = createClient(service(), transport);
    const { text } = await client.say({ text: 'hello' }, options);
    let count = 0;
    for await (const _ of client.repeat({ text: 'hello' })) count += 1;
    const failure = await client.fail({ text: 'hello' }).then(() => 'none', (error) => {
        return `${error.code} ${error.rawMessage}`;
    });
    return `${text}, ${count}, ${failure}`;
}

export function grpcWeb(server) {
    return calls(createGrpcWebTransport({ baseUrl: server }));
}

export async function connect(server) {
    return calls(createConnectTransport({ baseUrl: server }));
}

export async function connectWithGet(server) {
    return calls(createConnectTransport({ baseUrl: server, useHttpGet: true }), {});
}
