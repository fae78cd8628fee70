import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export function mcp(headers) {
    return async (server) => {
        const client = new Client({ name: 'page', version: '1.0.0' });
        const url = new URL('/mcp', server);
        const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
        await client.connect(transport);
        const { tools } = await client.listTools();
        const { content } = await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
        const session = transport.sessionId === undefined ? 'no session' : 'a session';
        await transport.terminateSession();
        await client.close();
        return `${content[0].text}, ${tools.length}, ${session}`;
    };
}
