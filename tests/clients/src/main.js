// The clients by name: functions that call the server at an address, and return the answers as a text.

import * as connect from './connect.js';
import * as graphql from './graphql.js';
import * as grpcWeb from './grpc_web.js';
import { mcp } from './mcp.js';

const token = { Authorization: 'Bearer x' };

const clients = {
    'grpc-web, text': grpcWeb.official('text'),
    'grpc-web, binary': grpcWeb.official('binary'),
    '@improbable-eng/grpc-web': grpcWeb.improbable,
    '@protobuf-ts/grpcweb-transport': grpcWeb.protobufTs,
    'connect-web, gRPC-Web': connect.grpcWeb,
    'connect-web, Connect': connect.connect,
    'connect-web, Connect with GET': connect.connectWithGet,
    'MCP': mcp({}),
    'MCP with a token': mcp(token),
    'Apollo Client': graphql.apollo({}),
    'Apollo Client with GET': graphql.apollo({ useGETForQueries: true }),
    'Apollo Client with cookies and a token': graphql.apollo({ credentials: 'include', headers: token }),
    'graphql-request': graphql.graphqlRequest({}),
    'graphql-request with a token': graphql.graphqlRequest({ headers: token }),
    'graphql-request with cookies and a token': graphql.graphqlRequest({ credentials: 'include', headers: token }),
};

globalThis.runClient = async (name, server) => {
    try {
        return await clients[name](server);
    } catch (error) {
        return `failed: ${error.message}`;
    }
};
