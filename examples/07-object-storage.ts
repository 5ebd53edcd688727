/**
 * The bucket of a project, with the S3 client of the AWS SDK: the access token goes into a header of its own, and the
 * SDK's credentials mean nothing. A link to an object is asked for beside S3.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { Client } from "@effect-identity/client"

const { COZE_BUCKET_ENDPOINT_URL: endpoint = "", COZE_BUCKET_NAME: bucket = "" } = process.env
const identity = new Client()

const s3 = new S3Client({
  endpoint,
  region: "cn-beijing",
  forcePathStyle: true,
  credentials: { accessKeyId: "unused", secretAccessKey: "unused" }
})
s3.middlewareStack.add(
  (next) => async (args) => {
    const { request } = args
    if (typeof request === "object" && request !== null && "headers" in request) {
      Object.assign(request.headers ?? {}, { "x-storage-token": await identity.getAccessToken() })
    }
    return next(args)
  },
  { step: "finalizeRequest", name: "storageToken" }
)

await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "greeting.txt", Body: "hello" }))
const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "greeting.txt" }))
console.log("read back:", await Body?.transformToString())

const signed = await fetch(new URL("/sign-url", endpoint), {
  method: "POST",
  headers: { "content-type": "application/json", "x-storage-token": await identity.getAccessToken() },
  body: JSON.stringify({ bucket_name: bucket, path: "greeting.txt", expire_time: 3600 })
})
const { data } = await signed.json()
console.log("link:", new URL(data.url).pathname)
