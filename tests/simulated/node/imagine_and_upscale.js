// Imagine and Upscale with the public npm client, given only the simulator's base URL.
const { Midjourney } = require("midjourney");

async function main(base, guild, channel, token) {
  const client = new Midjourney({
    ServerId: guild,
    ChannelId: channel,
    SalaiToken: token,
    DiscordBaseUrl: base,
    WsBaseUrl: `${base.replace("http", "ws")}/?encoding=json&v=9`,
    Ws: true,
  });
  console.log = console.error; // the client chats on stdout
  await client.Connect();
  const progress = [];
  const grid = await client.Imagine("a cute cat --ar 3:2", (_, percent) => progress.push(percent));
  const single = await client.Upscale({
    index: 2,
    msgId: grid.id,
    hash: grid.hash,
    flags: grid.flags,
  });
  process.stdout.write(JSON.stringify({ progress, grid, single }), () => process.exit(0));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
